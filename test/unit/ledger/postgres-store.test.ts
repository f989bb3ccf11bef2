import assert from "node:assert/strict";
import { after, before, describe, it, mock, type TestContext } from "node:test";
import pg from "pg";
import { auditLedger } from "../../../src/ledger/audit.ts";
import { openStore } from "../../../src/ledger/open-store.ts";
import { Connection } from "../../../src/ledger/postgres-connections.ts";
import { postgresSchemaVersion, preparePostgresSchema } from "../../../src/ledger/postgres-schema.ts";
import type { LedgerStore, LedgerStoreOptions } from "../../../src/ledger/store.ts";
import { type Postgres, postgresPassword, startPostgres, withoutPostgres } from "../../support/postgres.ts";
import { type PostgresProxy, startProxy } from "../../support/postgres-proxy.ts";
import { describeStore, entry } from "./store-contract.ts";

if (withoutPostgres) {
  it("the PostgreSQL store", { skip: withoutPostgres }, () => {});
} else {
  describePostgresStore();
}

function describePostgresStore(): void {
  let postgres: Postgres;
  before(async () => {
    // Killed servers are another file's matter: here the disk need not keep up.
    postgres = await startPostgres({ settings: ["fsync=off"] });
  });
  after(() => postgres[Symbol.asyncDispose]());

  const open = async (
    t: TestContext,
    url: string,
    options: LedgerStoreOptions = {},
  ): Promise<LedgerStore> => {
    const store = await openStore(url, options);
    t.after(() => store.close().catch(() => {}));
    return store;
  };

  /** A store whose line to the database goes through a proxy, and one whose line does not. */
  const openBehindProxy = async (
    t: TestContext,
    options: LedgerStoreOptions = {},
  ): Promise<{ store: LedgerStore; direct: LedgerStore; proxy: PostgresProxy }> => {
    const url = await postgres.createDatabase();
    const proxy = await startProxy(postgres.port);
    t.after(() => proxy[Symbol.asyncDispose]());
    const store = await open(t, url.replace(`:${postgres.port}/`, `:${proxy.port}/`), options);
    return { store, direct: await open(t, url), proxy };
  };

  describeStore("the PostgreSQL store", async () => {
    const url = await postgres.createDatabase();
    return { open: () => openStore(url), [Symbol.asyncDispose]: async () => {} };
  });

  describe("several stores on one PostgreSQL database", () => {
    it("open an empty one at the same time", async (t) => {
      const url = await postgres.createDatabase();
      const stores = await Promise.all(Array.from({ length: 6 }, () => open(t, url)));
      const receipts = await Promise.all(stores.map((store, i) => store.post(entry(`e${i}`))));
      assert.deepEqual(receipts.map(({ seq }) => seq).sort(), [1, 2, 3, 4, 5, 6]);
    });

    it("give every id one place, whoever posts it, and keep one whole chain", async (t) => {
      const url = await postgres.createDatabase();
      const stores = await Promise.all([open(t, url), open(t, url), open(t, url)]);
      const places = new Map<string, number>();
      let firsts = 0;
      const client = async (store: LedgerStore, of: number): Promise<void> => {
        for (let i = 0; i < 150; i++) {
          // Every id is posted through each of the three, at about the same time.
          const { seq, duplicate } = await store.post(entry(`${of}-${i}`, { debit: `d${i % 5}` }));
          assert.equal(places.get(`${of}-${i}`) ?? seq, seq);
          places.set(`${of}-${i}`, seq);
          if (!duplicate) firsts++;
        }
      };
      await Promise.all(stores.flatMap((store) => Array.from({ length: 4 }, (_, of) => client(store, of))));
      assert.equal(firsts, 600);
      assert.deepEqual([...new Set(places.values())].length, 600);
      assert.equal(Math.max(...places.values()), 600);
      const audit = await auditLedger(stores[0]!);
      assert.deepEqual([audit.ok, audit.entries], [true, 600]);
    });

    it("add to the same counters, and each sees its own before it is durable", async (t) => {
      const url = await postgres.createDatabase();
      const [a, b] = [await open(t, url), await open(t, url)];
      for (let i = 0; i < 100; i++) {
        await Promise.all([a.track("x", 1n), b.track("y", 2n), a.track("y", 1n), b.track("x", -3n)]);
        if (i % 10 === 0) await Promise.all([a.flush(), b.flush()]);
      }
      assert.equal((await a.counters()).get("x")! <= 100n, true);
      await b.flush();
      assert.deepEqual(
        await a.counters(),
        new Map([
          ["x", -200n],
          ["y", 300n],
        ]),
      );
    });

    it("refuse to write when another program changed the tables' version, and to open", async (t) => {
      const url = await postgres.createDatabase();
      const store = await open(t, url);
      await store.post(entry("a"));
      await postgres.query(url, "UPDATE sluice_ledger SET version = 99");
      await assert.rejects(store.post(entry("b")), { code: "LEDGER_WRITE", message: /version 99/ });
      await assert.rejects(openStore(url), {
        code: "LEDGER_OPEN",
        message: /version 99.*update the program/,
      });
    });
  });

  describe("the tables' version", () => {
    const addedLater = "ALTER TABLE sluice_entries ADD COLUMN tag text DEFAULT 'old'";
    const old = Array.from({ length: postgresSchemaVersion }, () => "never run again");

    it("is raised step by step with what they hold, or stays when a step fails", async (t) => {
      const url = await postgres.createDatabase();
      const store = await open(t, url);
      await store.post(entry("a"));
      const version = async () =>
        (await postgres.query(url, "SELECT version FROM sluice_ledger"))[0]!["version"];
      const raise = async (steps: readonly string[]): Promise<void> => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        try {
          await preparePostgresSchema(new Connection(client), steps);
        } finally {
          await client.end();
        }
      };
      await assert.rejects(raise([...old, addedLater, "DROP TABLE absent"]), /absent/);
      assert.equal(await version(), postgresSchemaVersion);
      await raise([...old, addedLater]);
      assert.equal(await version(), postgresSchemaVersion + 1);
      assert.deepEqual(await postgres.query(url, "SELECT id, tag FROM sluice_entries"), [
        { id: "a", tag: "old" },
      ]);
    });
  });

  describe("a COMMIT", () => {
    for (const fate of ["lost", "answer-lost", { lateMs: 300 }] as const) {
      const name = typeof fate === "string" ? fate : "late";
      it(`that is ${name}: one entry, one receipt, no error`, async (t) => {
        const { store, direct, proxy } = await openBehindProxy(t);
        await store.post(entry("first"));
        const happened = proxy.next("COMMIT\0", fate);
        const posts = ["a", "b", "c"].map((id) => store.post(entry(id)));
        const receipts = await Promise.all(posts);
        await happened;
        assert.deepEqual(
          receipts,
          [2, 3, 4].map((seq) => ({ seq, duplicate: false })),
        );
        assert.deepEqual(await direct.post(entry("b")), { seq: 3, duplicate: true });
        assert.equal((await auditLedger(direct)).entries, 4);
      });
    }

    it("whose outcome can't be learned in time is told as unknown, never as done", async (t) => {
      const { store, direct, proxy } = await openBehindProxy(t, { timeoutMs: 600 });
      await store.post(entry("first"));
      const happened = proxy.next("COMMIT\0", "answer-lost");
      const post = store.post(entry("a"));
      await happened;
      proxy.stall();
      await assert.rejects(post, { code: "LEDGER_UNAVAILABLE", unknown: true });
      proxy.resume();
      assert.deepEqual(await direct.post(entry("a")), { seq: 2, duplicate: true });
    });
  });

  describe("when the database is away", () => {
    it("posts fail explicitly in time with nothing kept, and go on by themselves when it is back", async (t) => {
      const log = mock.fn<NonNullable<LedgerStoreOptions["log"]>>();
      const { store, direct, proxy } = await openBehindProxy(t, { timeoutMs: 700, log });
      await store.post(entry("before"));
      proxy.stall();
      const startMs = performance.now();
      const refused = await Promise.allSettled([
        store.post(entry("a")),
        store.postAll([entry("b")]),
        store.balance("bob"),
        store.counters(),
      ]);
      assert.ok(performance.now() - startMs < 2_000);
      for (const one of refused) {
        assert.equal(one.status, "rejected");
        assert.equal((one.reason as { code: string }).code, "LEDGER_UNAVAILABLE");
      }
      assert.equal((refused[0] as PromiseRejectedResult).reason.unknown, false);
      proxy.resume();
      const { seq } = await postUntilAnswered(store, "c");
      assert.equal(seq, 2);
      assert.equal(await direct.balance("bob"), 20n);
      const said = log.mock.calls.map(({ arguments: [level, message] }) => `${level} ${message}`);
      assert.deepEqual(said.slice(0, 2), [
        "warn the ledger's database does not answer; trying again",
        "info the ledger's database answers again",
      ]);
      assert.doesNotMatch(JSON.stringify(log.mock.calls), new RegExp(postgresPassword));
    });

    it("for a restart, posts wait within their time and are kept once", async (t) => {
      const url = await postgres.createDatabase();
      const store = await open(t, url);
      await store.post(entry("before"));
      await postgres.stop("fast");
      const posts = ["a", "b"].map((id) => store.post(entry(id)));
      await postgres.start();
      assert.deepEqual(await Promise.all(posts), [
        { seq: 2, duplicate: false },
        { seq: 3, duplicate: false },
      ]);
    });

    it("counters are kept, and written when it is back", async (t) => {
      const { store, direct, proxy } = await openBehindProxy(t, { timeoutMs: 400, flushIntervalMs: 10_000 });
      await store.track("hits", 5n);
      proxy.stall();
      await assert.rejects(store.flush(), { code: "LEDGER_UNAVAILABLE" });
      await store.track("hits", 2n);
      proxy.resume();
      await store.flush().catch(() => store.flush());
      assert.deepEqual(await direct.counters(), new Map([["hits", 7n]]));
    });

    for (const fate of ["lost", "answer-lost"] as const) {
      it(`counters are added once when their statement is ${fate}`, async (t) => {
        const { store, direct, proxy } = await openBehindProxy(t);
        await store.track("hits", 5n);
        const happened = proxy.next("sluice_counter_flushes", fate);
        await store.flush();
        await happened;
        assert.deepEqual(await direct.counters(), new Map([["hits", 5n]]));
      });
    }

    it("the start waits for it", async (t) => {
      const url = await postgres.createDatabase();
      await postgres.stop("fast");
      const opening = openStore(url);
      await postgres.start();
      const store = await opening;
      t.after(() => store.close());
      assert.deepEqual(await store.post(entry("a")), { seq: 1, duplicate: false });
    });
  });

  describe("a PostgreSQL database is refused", () => {
    const refusal = (url: string) =>
      openStore(url).then(
        () => assert.fail("it opened"),
        (error: Error) => error,
      );

    it("with a wrong password, a missing database, or another encoding, without ever showing the password", async () => {
      const url = await postgres.createDatabase();
      const wrong = await refusal(url.replace("s3cret", "wrong"));
      assert.match(
        wrong.message,
        /postgres:\/\/ledger@127\.0\.0\.1:\d+\/d\d+ can't be opened: password auth/,
      );
      const missing = await refusal(postgres.url("absent"));
      assert.match(missing.message, /absent can't be opened: database "absent" does not exist/);
      await postgres.query(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
      );
      const latin = await refusal(postgres.url("latin"));
      assert.match(latin.message, /latin can't be opened: the database's encoding is LATIN1/);
      const garbled = await refusal("postgres://ledger:s3cret@[bad/db");
      for (const error of [wrong, missing, latin, garbled]) {
        assert.equal((error as Error & { code?: string }).code, "LEDGER_OPEN");
        assert.doesNotMatch(JSON.stringify([error.message, error.stack]), /s3cret|%40pass/);
      }
    });
  });
}

async function postUntilAnswered(store: LedgerStore, id: string): Promise<{ seq: number }> {
  for (;;) {
    try {
      return await store.post(entry(id));
    } catch (error) {
      assert.equal((error as { code?: string }).code, "LEDGER_UNAVAILABLE");
    }
  }
}
