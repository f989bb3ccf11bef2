import assert from "node:assert/strict";
import { after, before, describe, it, mock, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import pg from "pg";
import { auditLedger } from "../../../src/ledger/audit.ts";
import { InvalidEntryError } from "../../../src/ledger/errors.ts";
import { maxI64 } from "../../../src/ledger/i64.ts";
import { openStore } from "../../../src/ledger/open-store.ts";
import { appendFunction } from "../../../src/ledger/postgres-append-function.ts";
import { Connection } from "../../../src/ledger/postgres-connections.ts";
import { postgresSchemaVersion, preparePostgresSchema } from "../../../src/ledger/postgres-schema.ts";
import type { LedgerEntry, LedgerStore, LedgerStoreOptions } from "../../../src/ledger/store.ts";
import { createRandom, type Random } from "../../fault/random.ts";
import { type Postgres, postgresPassword, startPostgres, withoutPostgres } from "../../support/postgres.ts";
import { type PostgresProxy, startProxy } from "../../support/postgres-proxy.ts";
import { describeStore, entry } from "./store-contract.ts";

/** Another one each time; a failing one is named by the diagnostic. */
const seed = Number(process.env["SLUICE_SEED"] ?? Date.now() % 1_000_000);

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

    it("do not wait for one that stands still in the middle of a post", async (t) => {
      const { store, direct, proxy } = await openBehindProxy(t);
      await Promise.all([store.post(entry("first")), direct.post(entry("second"))]);
      const stopped = proxy.stallAfterNext();
      const post = store.post(entry("a"));
      await stopped;
      const startMs = performance.now();
      await direct.post(entry("b"));
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < 1_000, `the other one's post took ${tookMs} ms`);
      proxy.resume();
      assert.equal((await post).duplicate, false);
      assert.equal((await auditLedger(direct)).entries, 4);
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

  describe("what appends", () => {
    it("comes to the same as SQLite's store, hash by hash, whatever is posted together", async (t) => {
      const stores = [await open(t, await postgres.createDatabase()), await open(t, "sqlite::memory:")];
      const random = createRandom(seed);
      t.diagnostic(`SLUICE_SEED=${seed}`);
      for (let turn = 0; turn < 60; turn++) {
        const lists = Array.from({ length: random.between(1, 12) }, () => randomList(random));
        const [postgresResults, sqliteResults] = await Promise.all(
          stores.map(async (store) => {
            const results = await Promise.allSettled(lists.map((list) => store.postAll(list)));
            return results.map((one) => (one.status === "fulfilled" ? one.value : refusalOf(one.reason)));
          }),
        );
        assert.deepEqual(postgresResults, sqliteResults, `turn ${turn}`);
      }
      const [rows, sqliteRows] = await Promise.all(stores.map((store) => store.auditRows(0, 100_000)));
      assert.ok(rows!.length > 100, `${rows!.length}`);
      assert.deepEqual(rows, sqliteRows);
      const [audit, sqliteAudit] = await Promise.all(stores.map((store) => auditLedger(store)));
      assert.deepEqual(audit, sqliteAudit);
      assert.equal(audit!.ok, true);
    });

    it("is made where a program that did not know it left none, by several at once, and repaired", async (t) => {
      const url = await postgres.createDatabase();
      const old = await open(t, url);
      await old.post(entry("a"));
      await old.close();
      await postgres.query(url, `DROP TABLE sluice_appends; DROP FUNCTION ${appendFunction}`);
      const stores = await Promise.all([open(t, url), open(t, url), open(t, url)]);
      await Promise.all(stores.map((store, i) => store.post(entry(`b${i}`))));
      await postgres.query(
        url,
        `DO $$ BEGIN EXECUTE replace(pg_get_functiondef('${appendFunction}'::regproc), 'head + 1', 'head + 2'); END $$`,
      );
      const repaired = await open(t, url);
      assert.deepEqual(await repaired.post(entry("c")), { seq: 5, duplicate: false });
      assert.equal((await auditLedger(repaired)).ok, true);
    });

    it("leaves no trace of a server that was closed", async (t) => {
      const url = await postgres.createDatabase();
      const store = await open(t, url);
      await store.post(entry("a"));
      assert.equal((await postgres.query(url, "SELECT FROM sluice_appends")).length, 1);
      await store.close();
      assert.equal((await postgres.query(url, "SELECT FROM sluice_appends")).length, 0);
    });

    it("is used by a role that may not make it, and explained to one that may not use it", async (t) => {
      const url = await postgres.createDatabase();
      const role = `guest${new URL(url).pathname.slice(1)}`;
      await postgres.query(
        url,
        `CREATE ROLE ${role} LOGIN PASSWORD 'guest'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
      );
      const asGuest = url.replace(/\/\/[^@]*@/, `//${role}:guest@`);
      const refused = (message: RegExp) =>
        assert.rejects(openStore(asGuest), { code: "LEDGER_OPEN", message });
      await refused(/permission denied for schema public.*GRANT CREATE ON SCHEMA "public"/);
      await (await open(t, url)).post(entry("a"));
      const tables =
        "sluice_ledger, sluice_entries, sluice_balances, sluice_counters, sluice_counter_flushes";
      await postgres.query(url, `GRANT ALL ON ${tables} TO ${role}`);
      await refused(/GRANT SELECT, INSERT, UPDATE, DELETE ON sluice_appends/);
      await postgres.query(url, `GRANT ALL ON sluice_appends TO ${role}`);
      assert.deepEqual(await (await open(t, asGuest)).post(entry("b")), { seq: 2, duplicate: false });
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

    it("whose answer is lost: what was there before is a duplicate, what it kept is none", async (t) => {
      const { store, direct, proxy } = await openBehindProxy(t);
      await direct.post(entry("x"));
      await store.post(entry("first"));
      const happened = proxy.next("COMMIT\0", "answer-lost");
      const posts = [
        store.postAll([entry("a"), entry("x"), entry("b")]),
        store.postAll([entry("c"), entry("a", { amount: 11n })]),
        store.post(entry("a")),
        store.post(entry("c")),
      ];
      const results = await Promise.allSettled(posts);
      await happened;
      assert.deepEqual(
        results.map((one) => (one.status === "fulfilled" ? one.value : refusalOf(one.reason))),
        [
          [
            { seq: 3, duplicate: false },
            { seq: 1, duplicate: true },
            { seq: 4, duplicate: false },
          ],
          { id: "a", message: "the id is known with other content" },
          { seq: 3, duplicate: true },
          { seq: 5, duplicate: false },
        ],
      );
      assert.equal((await auditLedger(direct)).entries, 5);
    });

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
    it("posts fail explicitly in time, and go on by themselves when it is back", async (t) => {
      const log = mock.fn<NonNullable<LedgerStoreOptions["log"]>>();
      const { store, direct, proxy } = await openBehindProxy(t, { timeoutMs: 700, log });
      await store.post(entry("before"));
      proxy.stall();
      const startMs = performance.now();
      const sent = [store.post(entry("a")), store.postAll([entry("b")])];
      // The first group is on its way: what comes now waits behind it.
      await setImmediate();
      await setImmediate();
      const refused = await Promise.allSettled([
        ...sent,
        store.post(entry("behind")),
        store.balance("bob"),
        store.counters(),
      ]);
      assert.ok(performance.now() - startMs < 2_000);
      for (const one of refused) {
        assert.equal(one.status, "rejected");
        assert.equal((one.reason as { code: string }).code, "LEDGER_UNAVAILABLE");
      }
      assert.deepEqual(
        refused.slice(0, 3).map((one) => (one as PromiseRejectedResult).reason.unknown),
        [true, true, false],
      );
      proxy.resume();
      await postUntilAnswered(store, "c");
      await direct.postAll([entry("a"), entry("b")]);
      assert.equal((await direct.post(entry("behind"))).duplicate, false);
      assert.equal(await direct.balance("bob"), 50n);
      const said = log.mock.calls.map(({ arguments: [level, message] }) => `${level} ${message}`);
      assert.deepEqual(said.slice(0, 2), [
        "warn the ledger's database does not answer; trying again",
        "info the ledger's database answers again",
      ]);
      assert.doesNotMatch(JSON.stringify(log.mock.calls), new RegExp(postgresPassword));
    });

    it("for posts only, because somebody holds the chain's head, they fail in time and are not kept later", async (t) => {
      const url = await postgres.createDatabase();
      const store = await open(t, url, { timeoutMs: 600 });
      await store.post(entry("before"));
      const holder = new pg.Client({ connectionString: url });
      await holder.connect();
      await holder.query("BEGIN; SELECT FROM sluice_ledger FOR UPDATE");
      await assert.rejects(store.post(entry("a")), { code: "LEDGER_UNAVAILABLE", unknown: false });
      await holder.end();
      const { seq } = await postUntilAnswered(store, "b");
      assert.equal(seq, 2);
      assert.equal((await auditLedger(store)).entries, 2);
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

/** Few ids and accounts, so that they meet; amounts that bring balances to their bounds; texts of every kind. */
function randomList(random: Random): LedgerEntry[] {
  const texts = [
    "",
    "plain",
    "it's",
    'a "quoted" \\ memo',
    "line\nand\ttab\u0001\u001f\u007f",
    "naïve 🦊 \u2028",
    "NULL",
    "{,}",
  ];
  const pick = <T>(values: readonly T[]): T => values[random.between(0, values.length - 1)]!;
  return Array.from({ length: random.between(1, 4) }, () => {
    const id = `${pick(texts)}${random.between(1, 99)}`;
    const debit = `d${random.between(0, 3)}`;
    const credit = `${pick(texts)}${random.between(4, 6)}`;
    const amount = pick([1n, 1n, 7n, 7n, maxI64 / 3n]);
    const memo = pick([undefined, undefined, undefined, ...texts]);
    return memo === undefined ? { id, debit, credit, amount } : { id, debit, credit, amount, memo };
  });
}

function refusalOf(error: unknown): { readonly id: string; readonly message: string } {
  assert.ok(error instanceof InvalidEntryError, String(error));
  return { id: error.id, message: error.message };
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
