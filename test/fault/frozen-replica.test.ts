/** A replica that is stopped in the middle of its posts (SIGSTOP) keeps nothing from the others. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { startPostgres, withoutPostgres } from "../support/postgres.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { post, Receipts } from "./receipts.ts";
import { createScope, type Scope } from "./scope.ts";

const clientsPerReplica = 16;
const freezes = 5;
/** While it answers nothing else, PostgreSQL ends a transaction that stands still after 2 s. */
const longestMs = 1_000;

/** Clients that post to one replica, one entry after the other. */
class Load {
  readonly ended: Promise<unknown>;
  readonly #receipts: Receipts;
  readonly #name: string;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  #count = 0;
  #loading = true;

  constructor(name: string, receipts: Receipts, clients: readonly RawClient[]) {
    this.#name = name;
    this.#receipts = receipts;
    this.ended = Promise.all(clients.map((client, index) => this.#post(client, index)));
  }

  /** Resolves when there are so many receipts more. */
  more(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count: this.#count + count, resolve };
    return promise;
  }

  async end(): Promise<void> {
    this.#loading = false;
    await this.ended;
  }

  async #post(client: RawClient, index: number): Promise<void> {
    for (let i = 0; this.#loading; i++) {
      const entry = {
        id: `${this.#name}-${index}-${i}`,
        debit: `d${i % 7}`,
        credit: `c${i % 11}`,
        amount: 1,
      };
      this.#receipts.sent(entry);
      this.#receipts.received(entry.id, await post(client, entry));
      this.#count++;
      if (this.#waiting !== undefined && this.#count >= this.#waiting.count) this.#waiting.resolve();
    }
  }
}

describe("a frozen replica", { skip: withoutPostgres, timeout: 60_000 }, () => {
  it("does not hold the posts of the others, and its own go on when it does", async (t: TestContext) => {
    await using postgres = await startPostgres({ settings: ["fsync=off"] });
    await using scope = createScope();
    const url = await postgres.createDatabase();
    const receipts = new Receipts();
    const start = async (name: string): Promise<{ server: ServerProcess; load: Load }> => {
      const server = await startServer(scope.t, { args: ["--store", url] });
      return { server, load: new Load(name, receipts, await connect(scope, server)) };
    };
    const [frozen, other] = await Promise.all([start("frozen"), start("other")]);
    const tookMs: number[] = [];
    for (let i = 0; i < freezes; i++) {
      // Not always at the same place of its posts.
      await frozen.load.more(50 + 37 * i);
      frozen.server.signal("SIGSTOP");
      const startMs = performance.now();
      await Promise.race([other.load.more(10 * clientsPerReplica), other.load.ended]);
      tookMs.push(Math.round(performance.now() - startMs));
      frozen.server.signal("SIGCONT");
    }
    await frozen.load.more(clientsPerReplica);
    await Promise.all([frozen.load.end(), other.load.end()]);
    t.diagnostic(`${receipts.size} receipts; 10 rounds of the other replica's posts took ${tookMs} ms`);
    assert.ok(Math.max(...tookMs) < longestMs, `${tookMs}`);
    const [client] = await connect(scope, other.server);
    await receipts.check(client!);
  });
});

function connect({ t }: Scope, { port }: ServerProcess): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: clientsPerReplica }, () => connectRaw(t, { connect: { port } })));
}
