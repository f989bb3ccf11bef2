import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, mock } from "node:test";
import { auditLedger } from "../../../src/ledger/audit.ts";
import { openStore } from "../../../src/ledger/open-store.ts";
import { openSqliteStore } from "../../../src/ledger/sqlite-store.ts";
import { describeStore, entry, type StorePlace } from "./store-contract.ts";

interface Folder extends Disposable {
  readonly path: string;
}

function createFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "sluice-ledger-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function createPlace(): Promise<StorePlace> {
  const folder = createFolder();
  return {
    open: async () => openSqliteStore(join(folder.path, "ledger.db")),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
}

describeStore("the SQLite store", createPlace);

/** Changes a closed ledger file behind the store's back. */
function tamper(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

async function ledgerOf(file: string, count: number): Promise<void> {
  const store = openSqliteStore(file);
  await Promise.all(
    Array.from({ length: count }, (_, i) => store.post(entry(`e${i}`, { credit: `c${i % 5}` }))),
  );
  await store.auditBalances("", 1);
  await store.close();
}

describe("the SQLite file", () => {
  it("is made with its folder, readable for its owner alone, in WAL mode with full syncs", async () => {
    using folder = createFolder();
    const file = join(folder.path, "deep", "er", "ledger.db");
    const store = openSqliteStore(file);
    await store.post(entry("a"));
    for (const name of readdirSync(join(folder.path, "deep", "er"))) {
      assert.equal(statSync(join(folder.path, "deep", "er", name)).mode & 0o777, 0o600, name);
    }
    await store.close();
    const db = new DatabaseSync(file, { readOnly: true });
    assert.deepEqual({ ...db.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
    db.close();
  });

  it("is refused to a second store in this process and in another one, until the first closes", async () => {
    using folder = createFolder();
    const file = join(folder.path, "ledger.db");
    const first = openSqliteStore(file);
    assert.throws(() => openSqliteStore(file), { code: "LEDGER_OPEN", message: /in use by another process/ });
    const code = `
      import { openSqliteStore } from ${JSON.stringify(import.meta.resolve("../../../src/ledger/sqlite-store.ts"))};
      try { openSqliteStore(process.argv[1]); } catch (error) { console.log(error.message); }`;
    const args = ["--input-type=module", "-e", code, file];
    const said = execFileSync(process.execPath, args, { encoding: "utf8" });
    assert.match(said, /ledger\.db is in use by another process/);
    await first.close();
    await openSqliteStore(file).close();
  });

  it("can be read by another connection while it is open", async () => {
    using folder = createFolder();
    const file = join(folder.path, "ledger.db");
    const store = openSqliteStore(file);
    await store.post(entry("a"));
    const reader = new DatabaseSync(file, { readOnly: true });
    assert.equal(reader.prepare("SELECT count(*) AS n FROM entries").get()?.["n"], 1);
    reader.close();
    await store.close();
  });

  it("is refused when it is no database, another one's, damaged or of a newer version, and left as it is", async () => {
    using folder = createFolder();
    const file = join(folder.path, "ledger.db");
    writeFileSync(file, "Dear diary, this is no database. ".repeat(50));
    assert.throws(() => openSqliteStore(file), {
      code: "LEDGER_OPEN",
      message: /ledger\.db is damaged or no ledger/,
    });
    rmSync(file);
    tamper(file, "CREATE TABLE notes (text TEXT)");
    assert.throws(() => openSqliteStore(file), { code: "LEDGER_OPEN", message: /not a ledger/ });
    rmSync(file);
    await ledgerOf(file, 3);
    tamper(file, "PRAGMA user_version = 99");
    assert.throws(() => openSqliteStore(file), { code: "LEDGER_OPEN", message: /version 99/ });
    tamper(file, "PRAGMA user_version = 1; DROP TABLE indexed");
    assert.throws(() => openSqliteStore(file), { code: "LEDGER_OPEN", message: /ledger\.db/ });
  });

  it("is refused where the file system takes no folders", { skip: process.platform !== "linux" }, () => {
    assert.throws(() => openSqliteStore("/proc/none/deep/ledger.db"), {
      code: "LEDGER_OPEN",
      message: /\/proc\/none\/deep\/ledger\.db can't be written: ENOENT/,
    });
  });

  it("names the path that can't be written", () => {
    using folder = createFolder();
    writeFileSync(join(folder.path, "file"), "");
    const below = join(folder.path, "file", "ledger.db");
    assert.throws(
      () => openSqliteStore(below),
      (error: Error) => error.message.includes(below),
    );
    if (process.getuid?.() === 0) return;
    chmodSync(folder.path, 0o500);
    const denied = join(folder.path, "ledger.db");
    assert.throws(
      () => openSqliteStore(denied),
      (error: Error) => error.message.includes(denied),
    );
    chmodSync(folder.path, 0o700);
  });
});

describe("the SQLite store's audit", () => {
  const cases: [name: string, sql: string, brokenAt: number | undefined][] = [
    ["a changed amount", "UPDATE entries SET amount = amount + 1 WHERE seq = 7", 7],
    ["a changed hash", "UPDATE entries SET hash = 'f' || substr(hash, 2) || 'f' WHERE seq = 8", 8],
    ["a removed entry", "DELETE FROM entries WHERE seq = 9", 9],
    ["a changed balance", "UPDATE balances SET balance = balance + 1 WHERE account = 'c3'", undefined],
    ["a removed balance", "DELETE FROM balances WHERE account = 'c4'", undefined],
    ["an invented balance", "INSERT INTO balances VALUES ('eve', 100)", undefined],
  ];
  for (const [name, sql, brokenAt] of cases) {
    it(`finds ${name}`, async () => {
      using folder = createFolder();
      const file = join(folder.path, "ledger.db");
      await ledgerOf(file, 40);
      tamper(file, sql);
      const store = openSqliteStore(file);
      const audit = await auditLedger(store, 3);
      await store.close();
      assert.deepEqual([audit.ok, audit.brokenAt], [false, brokenAt]);
    });
  }
});

describe("a failing commit", () => {
  it("rejects every post of its group, changes nothing, and the store lives on", async () => {
    using folder = createFolder();
    const file = join(folder.path, "ledger.db");
    await ledgerOf(file, 1_000);
    // As a full disk: an insert fails in the middle of the group.
    tamper(
      file,
      `CREATE TRIGGER full BEFORE INSERT ON entries WHEN new.id = 'x3' AND new.seq = 1004
       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
    );
    const store = openSqliteStore(file);
    const group = await Promise.allSettled([
      ...["x0", "x1", "x2", "x3", "x4"].map((id) => store.post(entry(id, { credit: "new" }))),
      store.postAll([entry("y0"), entry("y1")]),
    ]);
    for (const one of group) {
      assert.equal(one.status, "rejected");
      assert.equal((one.reason as { code: string }).code, "LEDGER_WRITE");
      assert.match((one.reason as Error).message, /ledger\.db can't be written: .*full/);
    }
    assert.equal(await store.balance("new"), 0n);
    assert.deepEqual(await store.post(entry("x3", { credit: "new" })), { seq: 1_001, duplicate: false });
    assert.deepEqual(await store.post(entry("x0", { credit: "new" })), { seq: 1_002, duplicate: false });
    assert.equal((await auditLedger(store)).ok, true);
    await store.close();
  });

  it("in an index step takes the group back, and the next step catches up", async () => {
    using folder = createFolder();
    const file = join(folder.path, "ledger.db");
    await ledgerOf(file, 1);
    tamper(
      file,
      `CREATE TABLE fuse (left INTEGER); INSERT INTO fuse VALUES (1);
       CREATE TRIGGER blow BEFORE INSERT ON postings WHEN (SELECT left FROM fuse) > 0
       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
    );
    const store = openSqliteStore(file);
    const posts = () => Array.from({ length: 3_000 }, (_, i) => store.post(entry(`p${i}`)));
    const refused = await Promise.allSettled(posts());
    assert.ok(refused.every(({ status }) => status === "rejected"));
    const other = new DatabaseSync(file);
    other.exec("UPDATE fuse SET left = 0");
    other.close();
    const receipts = await Promise.all(posts());
    assert.deepEqual(receipts.at(-1), { seq: 3_001, duplicate: false });
    assert.equal((await auditLedger(store)).ok, true);
    await store.close();
  });

  it("of the counters keeps them, tells of it, tries again, and makes flush fail", async (t) => {
    using folder = createFolder();
    const file = join(folder.path, "ledger.db");
    await ledgerOf(file, 1);
    tamper(
      file,
      `CREATE TABLE fuse (left INTEGER); INSERT INTO fuse VALUES (1);
       CREATE TRIGGER blow BEFORE INSERT ON counters WHEN (SELECT left FROM fuse) > 0
       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
    );
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const log = mock.fn();
    const store = openSqliteStore(file, { flushIntervalMs: 1_000, log });
    await store.track("hits", 3n);
    t.mock.timers.tick(1_000);
    assert.equal(log.mock.callCount(), 1);
    await assert.rejects(store.flush(), { code: "LEDGER_WRITE" });
    const other = new DatabaseSync(file);
    other.exec("UPDATE fuse SET left = 0");
    t.mock.timers.tick(1_000);
    assert.equal(log.mock.callCount(), 1);
    assert.equal(other.prepare("SELECT value FROM counters").get()?.["value"], 3);
    other.close();
    await store.close();
  });
});

describe("a store's address", () => {
  it("is sqlite:PATH, or memory", async () => {
    using folder = createFolder();
    await (await openStore(`sqlite:${join(folder.path, "a.db")}`)).close();
    assert.ok(statSync(join(folder.path, "a.db")).isFile());
    const store = await openStore("sqlite::memory:");
    assert.deepEqual(await store.post(entry("a")), { seq: 1, duplicate: false });
    await store.close();
  });

  it("of another form is refused with what would be right", async () => {
    for (const address of ["mysql:x", "ledger.db", "sqlite:", ""]) {
      await assert.rejects(openStore(address), { code: "LEDGER_OPEN", message: /sqlite:/ }, address);
    }
    for (const address of ["postgres:", "postgresql:x", "postgres://"]) {
      await assert.rejects(openStore(address), { code: "LEDGER_OPEN", message: /USER@HOST/ }, address);
    }
    await assert.rejects(
      openStore("mysql://me:hidden@host/db"),
      (error: Error) => !/hidden/.test(error.message),
    );
  });
});
