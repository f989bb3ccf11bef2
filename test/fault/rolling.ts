/**
 * Replicas that are restarted, killed or frozen in turn, without a pause, under callers that use Sluice's own client.
 * What counts is what the callers see: no errors, each post exactly once, and how long calls take beside a quiet time.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "thrift-sluice/client";
import Ledger from "../../gen/Ledger.js";
import { Entry } from "../../gen/ledger_types.js";
import { freePort } from "../support/free-ports.ts";
import { type Postgres, startPostgres, withoutPostgres } from "../support/postgres.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { createScope, type Scope } from "./scope.ts";

/** What is done to one replica after the other. */
export type RollVariant = "restart" | "kill" | "freeze" | "partition";

/** `post` to the ledger, or `ping`, which needs no store that a frozen replica could keep locked. */
export type RolledCall = "post" | "ping";

export interface RollOptions {
  readonly variant: RollVariant;
  /** How long replicas are disturbed, in ms. */
  readonly rollMs: number;
  /** How long they are left alone before, in ms. */
  readonly quietMs: number;
  /**
   * How long, after that, a replica that nobody calls is restarted without a pause, in ms: what a start takes of the
   * machine's cores is no fault of the client's. 0: not at all.
   */
  readonly besideMs: number;
  /** Without PostgreSQL: `ping`. */
  readonly call: RolledCall;
  /** Between two disturbances, in ms. Default 0. */
  readonly pauseMs?: number;
  readonly transport: "framed" | "header" | "http";
  readonly tell: (text: string) => void;
}

/** How long calls took, in ms. */
export interface Latency {
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface RollResult {
  readonly quiet: Latency;
  /** While a replica that nobody calls was restarted; undefined without `besideMs`. */
  readonly beside: Latency | undefined;
  readonly rolling: Latency;
  /** Replicas that were restarted, killed or frozen. */
  readonly disturbances: number;
  readonly errors: readonly string[];
  readonly repeats: Readonly<Record<string, number>>;
  /** Entries in the ledger, and ids that are in it more than once; undefined without PostgreSQL. */
  readonly entries: { readonly count: number; readonly twice: number } | undefined;
}

const replicaCount = 3;
const callerCount = 50;
/** Each caller makes a call so often, in ms: the two cores of a small machine are then a third busy. */
const paceMs = 50;
const freezeMs = 2500;
const replicaLifeMs = 1_800_000;

export async function roll(options: RollOptions): Promise<RollResult> {
  await using scope = createScope();
  const postgres =
    withoutPostgres === false && options.call === "post"
      ? await startPostgres({ settings: ["fsync=off"] })
      : undefined;
  try {
    return await new Roll(options, scope, postgres).run();
  } finally {
    await postgres?.[Symbol.asyncDispose]();
  }
}

class Roll {
  readonly #options: RollOptions;
  readonly #scope: Scope;
  readonly #postgres: Postgres | undefined;
  readonly #ports: number[] = [];
  readonly #servers: ServerProcess[] = [];
  readonly #errors: string[] = [];
  #database: string | undefined;
  #loading = true;
  #latencies: number[] = [];
  #posts = 0;
  #disturbances = 0;

  constructor(options: RollOptions, scope: Scope, postgres: Postgres | undefined) {
    this.#options = options;
    this.#scope = scope;
    this.#postgres = postgres;
  }

  async run(): Promise<RollResult> {
    this.#database = await this.#postgres?.createDatabase();
    for (let index = 0; index < replicaCount; index++) this.#ports.push(await freePort());
    await Promise.all(this.#ports.map((_, index) => this.#start(index)));
    const client = createClient(Ledger, {
      endpoints: this.#ports.map((port) => `127.0.0.1:${port}`),
      transport: this.#options.transport,
      methods: { post: { idempotent: true }, ping: { idempotent: true } },
    });
    const callers = Promise.all(
      Array.from({ length: callerCount }, (_, caller) => this.#caller(client, caller)),
    );
    await sleep(1000);
    this.#takeLatency();
    await sleep(this.#options.quietMs);
    const quiet = this.#takeLatency();
    const beside = this.#options.besideMs > 0 ? await this.#restartBeside() : undefined;
    const untilMs = performance.now() + this.#options.rollMs;
    for (let turn = 0; performance.now() < untilMs; turn++) await this.#disturb(turn % replicaCount);
    this.#loading = false;
    await callers;
    const rolling = this.#takeLatency();
    const { repeats } = client.stats();
    await client.close();
    const entries = await this.#countEntries();
    return {
      quiet,
      beside,
      rolling,
      disturbances: this.#disturbances,
      errors: this.#errors,
      repeats,
      entries,
    };
  }

  async #start(index: number): Promise<void> {
    const store = this.#database === undefined ? [] : ["--store", this.#database];
    const args = ["--port", String(this.#ports[index]), "--grace", "5s", "--reserve", "1s", ...store];
    const withoutStore = this.#database !== undefined;
    this.#servers[index] = await startServer(this.#scope.t, { args, withoutStore, lifeMs: replicaLifeMs });
  }

  async #restartBeside(): Promise<Latency> {
    const untilMs = performance.now() + this.#options.besideMs;
    this.#ports[replicaCount] = await freePort();
    while (performance.now() < untilMs) {
      await this.#start(replicaCount);
      this.#servers[replicaCount]!.signal();
      await this.#servers[replicaCount]!.ended;
    }
    return this.#takeLatency();
  }

  async #disturb(index: number): Promise<void> {
    const { variant, tell } = this.#options;
    const server = this.#servers[index]!;
    const fromMs = performance.now();
    if (variant === "freeze") {
      server.signal("SIGSTOP");
      await sleep(freezeMs);
      server.signal("SIGCONT");
      await sleep(500);
    } else if (variant === "partition") {
      drop("-A", this.#ports[index]!);
      await sleep(freezeMs);
      drop("-D", this.#ports[index]!);
      await sleep(500);
    } else {
      server.signal(variant === "kill" ? "SIGKILL" : "SIGTERM");
      const { code, signal, last } = await server.ended;
      if (variant === "kill") assert.equal(signal, "SIGKILL");
      else assert.deepEqual([code, last["outcome"]], [0, "clean"]);
      await this.#start(index);
    }
    await sleep(this.#options.pauseMs ?? 0);
    this.#disturbances++;
    tell(`${variant} ${index}: ${Math.round(performance.now() - fromMs)} ms, ${this.#errors.length} errors`);
  }

  async #caller(client: Client<typeof Ledger>, caller: number): Promise<void> {
    for (let i = 0; this.#loading; i++) {
      const fromMs = performance.now();
      const id = `${caller}-${i}`;
      const entry = new Entry({
        id,
        debit: `d${caller}`,
        credit: `c${i % 61}`,
        amount: 1 + (i % 9),
      } as never);
      try {
        // SQLite's ledger is each replica's own: there is nothing to be counted then.
        if (this.#database === undefined) await client.ping();
        else await client.post(entry);
        this.#posts++;
      } catch (error) {
        this.#errors.push(String(error));
      }
      const tookMs = performance.now() - fromMs;
      this.#latencies.push(tookMs);
      await sleep(Math.max(1, paceMs - tookMs));
    }
  }

  #takeLatency(): Latency {
    const sorted = this.#latencies.sort((a, b) => a - b);
    this.#latencies = [];
    const at = (share: number): number =>
      Math.round(10 * (sorted[Math.floor(share * sorted.length)] ?? 0)) / 10;
    return { calls: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1 - 1e-9) };
  }

  async #countEntries(): Promise<RollResult["entries"]> {
    if (this.#database === undefined) return undefined;
    const sql =
      "SELECT count(*)::int AS count, (count(*) - count(DISTINCT id))::int AS twice FROM sluice_entries";
    const [row] = await this.#postgres!.query(this.#database, sql);
    const { count, twice } = row as { count: number; twice: number };
    assert.equal(count, this.#posts, "the ledger has other entries than those with a receipt");
    return { count, twice };
  }
}

/**
 * Begins (`-A`) or ends (`-D`) the loss of all packets to and from a port. To be called in a network namespace of the
 * process's own only.
 */
function drop(what: "-A" | "-D", port: number): void {
  for (const side of ["--dport", "--sport"]) {
    execFileSync("iptables", [what, "INPUT", "-p", "tcp", side, String(port), "-j", "DROP"]);
  }
}
