/**
 * Rounds of one server on one SQLite file: it is loaded by 16 clients, brought to an end at a random moment, started
 * again, and asked for everything that it ever gave a receipt for.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageType } from "../support/binary.ts";
import { resultOf, type TestEntry, trackArguments } from "../support/ledger-calls.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";
import { createRandom, type Random } from "./random.ts";
import { post, Receipts } from "./receipts.ts";
import { createScope, type Scope } from "./scope.ts";

/** How a round ends: the whole process is killed, its state thread dies, it stands still for 3 s, it is told to stop. */
export type Ending = "sigkill" | "state-death" | "sigstop" | "sigterm";

export interface OneServerOptions {
  readonly ending: Ending;
  readonly rounds: number;
  readonly seed: number;
  readonly tell: (text: string) => void;
}

/** What came of it. */
export interface TortureResult {
  readonly rounds: number;
  readonly receipts: number;
  /** Posts whose answer did not come, and how many of them had been kept all the same. */
  readonly unanswered: number;
  readonly tracked: number;
}

const clientCount = 16;
const stillMs = 3_000;
/** A server of a test lives for a minute at most: the last ones look at so many receipts each. */
const chunkSize = 40_000;
const postsPerConnections = 4_000;
/** So many receipts of earlier rounds are looked at again in each round; in the end all of them. */
const sampleSize = 200;

export async function tortureOneServer(options: OneServerOptions): Promise<TortureResult> {
  await using scope = createScope();
  const store = `sqlite:${join(temporaryFolder(scope.t), "ledger.db")}`;
  const torture = new OneServerTorture(options, store);
  for (let round = 1; round <= options.rounds; round++) await torture.round(round);
  return await torture.finish();
}

class OneServerTorture {
  readonly #options: OneServerOptions;
  readonly #store: string;
  readonly #receipts = new Receipts();
  #unanswered = 0;
  /** Clients of this round that still get answers. */
  #answered = 0;
  /** Oneway calls that the servers' reports say have run; with SIGKILL nobody knows. */
  #tracked = 0;

  constructor(options: OneServerOptions, store: string) {
    this.#options = options;
    this.#store = store;
  }

  async round(round: number): Promise<void> {
    const { ending, rounds, seed, tell } = this.#options;
    await using scope = createScope();
    const random = createRandom(seed * 1_000_003 + round);
    const server = await this.#start(scope);
    const checked = await this.#check(scope, server, random);
    const before = this.#receipts.size;
    const clients = await connectAll(scope, server);
    const load = clients.map((client, index) => this.#load(client, `${seed}-${round}-${index}`, random));
    // Between the first receipts and a few index steps; sometimes before anything was answered.
    const momentMs = random.between(0, round % 5 === 0 ? 2_000 : 400);
    await sleep(momentMs);
    await this.#end(server, clients);
    await Promise.all(load);
    const gained = this.#receipts.size - before;
    const unanswered = this.#receipts.unknown.length;
    this.#unanswered += unanswered;
    tell(
      `${ending} ${round}/${rounds}: after ${momentMs} ms, ${gained} receipts, ${unanswered} without an answer; ${checked} checked`,
    );
  }

  /** All receipts of all rounds, on last servers that are told to stop. */
  async finish(): Promise<TortureResult> {
    const known = this.#receipts.known();
    for (let from = 0; from === 0 || from < known.length; from += chunkSize) {
      await using scope = createScope();
      const server = await this.#start(scope);
      await this.#settle(scope, server, known.slice(from, from + chunkSize));
      const [client] = (await connectAll(scope, server)) as [RawClient];
      await this.#receipts.check(client);
      if (this.#options.ending === "sigterm") await this.#checkCounters(client);
      server.signal("SIGTERM");
      const { code, last } = await server.ended;
      assert.deepEqual([code, last["outcome"]], [0, "clean"]);
    }
    return {
      rounds: this.#options.rounds,
      receipts: this.#receipts.size,
      unanswered: this.#unanswered,
      tracked: this.#tracked,
    };
  }

  #start({ t }: Scope): Promise<ServerProcess> {
    const modules = this.#options.ending === "state-death" ? [fixture("dying-ledger")] : [];
    return startServer(t, { modules, args: ["--store", this.#store, "--grace", "5s", "--reserve", "1s"] });
  }

  async #check(scope: Scope, server: ServerProcess, random: Random): Promise<number> {
    const known = this.#receipts.known(Math.max(0, this.#receipts.size - 3_000));
    const older = this.#receipts.known();
    const sample = Array.from(
      { length: Math.min(sampleSize, older.length) },
      () => older[random.between(0, older.length - 1)]!,
    );
    await this.#settle(scope, server, [...known, ...sample]);
    const [client, ...others] = (await connectAll(scope, server)) as [RawClient, ...RawClient[]];
    await this.#receipts.check(client);
    if (this.#options.ending === "sigterm") await this.#checkCounters(client);
    for (const open of [client, ...others]) open.end();
    return known.length + sample.length;
  }

  /** On connections of their own for every few: a raw client keeps all its replies. */
  async #settle(scope: Scope, server: ServerProcess, known: readonly TestEntry[]): Promise<void> {
    for (let from = 0; from === 0 || from < known.length; from += postsPerConnections) {
      const clients = await connectAll(scope, server);
      await this.#receipts.settle(clients, known.slice(from, from + postsPerConnections));
      for (const client of clients) client.end();
    }
  }

  async #checkCounters(client: RawClient): Promise<void> {
    const counters = (await resultOf(client, "counters")) as Map<string, bigint>;
    assert.equal(counters.get("posts") ?? 0n, BigInt(this.#tracked), "a clean stop lost what was tracked");
  }

  /** Posts one entry after the other until there is no answer. */
  async #load(client: RawClient, name: string, random: Random): Promise<void> {
    this.#answered++;
    for (let i = 0; ; i++) {
      const entry = {
        id: `${name}-${i}`,
        debit: `d${random.between(0, 40)}`,
        credit: `c${random.between(0, 60)}`,
        amount: random.between(1, 9),
      };
      client.send("track", trackArguments("posts", 1), MessageType.ONEWAY);
      this.#receipts.sent(entry);
      try {
        this.#receipts.received(entry.id, await post(client, entry));
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        this.#answered--;
        return;
      }
    }
  }

  async #end(server: ServerProcess, clients: readonly RawClient[]): Promise<void> {
    switch (this.#options.ending) {
      case "sigkill":
        server.signal("SIGKILL");
        assert.equal((await server.ended).signal, "SIGKILL");
        return;
      case "state-death": {
        clients[0]!.send("track", trackArguments("die", 1), MessageType.ONEWAY);
        const { code, last, lines } = await server.ended;
        assert.deepEqual([code, last["outcome"], last["owed"]], [4, "flush-failed", 0]);
        assert.ok(lines.some(({ msg }) => msg === "the state thread died"));
        return;
      }
      case "sigstop": {
        server.signal("SIGSTOP");
        await sleep(stillMs);
        const before = this.#receipts.size;
        server.signal("SIGCONT");
        while (this.#answered > 0 && this.#receipts.size < before + 2 * clientCount) await sleep(10);
        assert.equal(this.#answered, clientCount, "a call failed because the server had stood still");
        return this.#stop(server);
      }
      case "sigterm":
        return this.#stop(server);
    }
  }

  async #stop(server: ServerProcess): Promise<void> {
    server.signal("SIGTERM");
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["outcome"], last["owed"]], [0, "clean", 0]);
    this.#tracked += last["oneway"] as number;
  }
}

function connectAll({ t }: Scope, { port }: ServerProcess): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: clientCount }, () => connectRaw(t, { connect: { port } })));
}
