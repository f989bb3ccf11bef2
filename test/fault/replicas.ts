/**
 * Several replicas on one PostgreSQL database. Clients post through any of them, and post again what was not answered
 * through another one, while replicas are killed, drained and started again, and the database is restarted.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestEntry } from "../support/ledger-calls.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { createRandom, type Random } from "./random.ts";
import { post, Receipts } from "./receipts.ts";
import { createScope, type Scope } from "./scope.ts";

export interface ReplicasOptions {
  readonly replicas: number;
  /** One disturbance each: kill, drain, stand still, in turn on each replica; every fifth is the database's. */
  readonly rounds: number;
  readonly seed: number;
  readonly tell: (text: string) => void;
}

export interface ReplicasResult {
  readonly rounds: number;
  readonly receipts: number;
  /** Posts that had to be sent again because there was no receipt. */
  readonly retries: number;
  readonly disturbances: Readonly<Record<string, number>>;
}

const clientCount = 16;
/** A replica that is only ever frozen lives through the whole run, in ms. */
const replicaLifeMs = 1_800_000;
const disturbances = ["kill", "drain", "freeze", "kill"] as const;

export async function tortureReplicas(options: ReplicasOptions): Promise<ReplicasResult> {
  await using postgres = await startPostgres();
  await using scope = createScope();
  const url = await postgres.createDatabase();
  const torture = new ReplicaTorture(options, postgres, scope, url);
  return await torture.run();
}

class ReplicaTorture {
  readonly #options: ReplicasOptions;
  readonly #postgres: Postgres;
  readonly #scope: Scope;
  readonly #url: string;
  readonly #random: Random;
  readonly #receipts = new Receipts();
  readonly #servers: (ServerProcess | undefined)[] = [];
  readonly #counts: Record<string, number> = {};
  #retries = 0;
  #loading = true;

  constructor(options: ReplicasOptions, postgres: Postgres, scope: Scope, url: string) {
    this.#options = options;
    this.#postgres = postgres;
    this.#scope = scope;
    this.#url = url;
    this.#random = createRandom(options.seed);
  }

  async run(): Promise<ReplicasResult> {
    const { replicas, rounds, tell } = this.#options;
    // At once: they race for the tables.
    await Promise.all(Array.from({ length: replicas }, (_, index) => this.#start(index)));
    const load = Promise.all(Array.from({ length: clientCount }, (_, index) => this.#client(index)));
    try {
      for (let round = 1; round <= rounds; round++) {
        const before = this.#receipts.size;
        await Promise.race([sleep(this.#random.between(100, 800)), load]);
        const what = await this.#disturb(round);
        await this.#progress();
        tell(`replicas-${replicas} ${round}/${rounds}: ${what}, ${this.#receipts.size - before} receipts`);
      }
    } finally {
      this.#loading = false;
    }
    await load;
    await this.#check();
    return {
      rounds,
      receipts: this.#receipts.size,
      retries: this.#retries,
      disturbances: this.#counts,
    };
  }

  async #start(index: number): Promise<void> {
    const args = ["--store", this.#url, "--grace", "5s", "--reserve", "1s"];
    this.#servers[index] = await startServer(this.#scope.t, { args, lifeMs: replicaLifeMs });
  }

  async #disturb(round: number): Promise<string> {
    const index = round % this.#options.replicas;
    const what = round % 5 === 2 ? "database" : disturbances[this.#random.between(0, 3)]!;
    const name = what === "database" ? this.#restartName(round) : what;
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    if (what === "database") {
      await this.#postgres.stop(name === "database crash" ? "immediate" : "fast");
      await sleep(this.#random.between(0, 1_500));
      await this.#postgres.start();
      return name;
    }
    const server = this.#servers[index]!;
    if (what === "freeze") {
      server.signal("SIGSTOP");
      await sleep(3_000);
      server.signal("SIGCONT");
      return `${name} ${index}`;
    }
    this.#servers[index] = undefined;
    server.signal(what === "kill" ? "SIGKILL" : "SIGTERM");
    const { code, signal, last } = await server.ended;
    if (what === "kill") assert.equal(signal, "SIGKILL");
    else assert.deepEqual([code, last["outcome"], last["owed"]], [0, "clean", 0]);
    await this.#start(index);
    return `${name} ${index}`;
  }

  #restartName(round: number): string {
    return round % 10 === 7 ? "database crash" : "database restart";
  }

  /** It goes on by itself: every client gets receipts again. */
  async #progress(): Promise<void> {
    const goal = this.#receipts.size + clientCount;
    const deadlineMs = performance.now() + 20_000;
    while (this.#receipts.size < goal) {
      assert.ok(performance.now() < deadlineMs, "nothing was posted for 20 s after a disturbance");
      await sleep(10);
    }
  }

  async #client(index: number): Promise<void> {
    const connections = new Map<ServerProcess, RawClient>();
    for (let i = 0; this.#loading; i++) {
      const entry = {
        id: `${this.#options.seed}-${index}-${i}`,
        debit: `d${(i + index) % 41}`,
        credit: `c${i % 61}`,
        amount: 1 + (i % 9),
      };
      this.#receipts.sent(entry);
      for (let attempt = index + i; ; attempt++) {
        const server = this.#servers[attempt % this.#options.replicas];
        if (server !== undefined && (await this.#tryPost(connections, server, entry))) break;
        this.#retries++;
        // Nobody there, or just ended: as a client would, a moment later on the next one.
        await sleep(5);
      }
    }
    for (const client of connections.values()) client.end();
  }

  async #tryPost(
    connections: Map<ServerProcess, RawClient>,
    server: ServerProcess,
    entry: TestEntry,
  ): Promise<boolean> {
    try {
      let client = connections.get(server);
      if (client === undefined) {
        client = await connectRaw(this.#scope.t, { connect: { port: server.port } });
        connections.set(server, client);
      }
      this.#receipts.received(entry.id, await post(client, entry));
      return true;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      connections.get(server)?.socket.destroy();
      connections.delete(server);
      return false;
    }
  }

  async #check(): Promise<void> {
    for (const server of this.#servers) {
      const client = await connectRaw(this.#scope.t, { connect: { port: server!.port } });
      await this.#receipts.check(client);
      client.end();
    }
    const client = await connectRaw(this.#scope.t, { connect: { port: this.#servers[0]!.port } });
    await this.#receipts.settle([client], this.#receipts.known().slice(-2_000));
    client.end();
    const twice = await this.#postgres.query(
      this.#url,
      "SELECT id FROM sluice_entries GROUP BY id HAVING count(*) > 1",
    );
    assert.deepEqual(twice, []);
    for (const server of this.#servers) {
      server!.signal("SIGTERM");
      assert.equal((await server!.ended).code, 0);
    }
  }
}
