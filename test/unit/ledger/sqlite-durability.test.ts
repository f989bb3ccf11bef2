import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, mock, type TestContext } from "node:test";
import { SqliteCheckpoints } from "../../../src/ledger/sqlite-checkpoints.ts";
import { openSqliteFile } from "../../../src/ledger/sqlite-open.ts";
import { prepareSchema, schemaVersion } from "../../../src/ledger/sqlite-schema.ts";
import { openSqliteStore } from "../../../src/ledger/sqlite-store.ts";
import { entry } from "./store-contract.ts";

function ledgerIn(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-ledger-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "ledger.db");
}

const pragma = (db: DatabaseSync, name: string): unknown =>
  Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0];

describe("the SQLite store's connection", () => {
  it("waits for the disk at every commit: a WAL with synchronous = FULL, and no checkpoint within a commit", (t) => {
    const file = openSqliteFile(ledgerIn(t));
    new SqliteCheckpoints(file.db, file.path, () => {});
    assert.deepEqual(
      ["journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "wal_autocheckpoint"].map((name) =>
        pragma(file.db, name),
      ),
      ["wal", 2, 1, 1, 0],
    );
    file.close();
  });
});

describe("the WAL", () => {
  it("stays short beside commits without a break, and is gone after the close", async (t) => {
    const file = ledgerIn(t);
    const store = openSqliteStore(file);
    for (let i = 0; i < 3_000; i++) {
      await store.postAll(
        Array.from({ length: 4 }, (_, j) => entry(`${i}-${j}`, { memo: "m".repeat(1_000), credit: `c${i}` })),
      );
    }
    // 12 MB of memos were written, many pages more than once.
    assert.ok(statSync(`${file}-wal`).size < 40 * 1024 * 1024, `${statSync(`${file}-wal`).size}`);
    assert.ok(statSync(file).size > 8 * 1024 * 1024, `${statSync(file).size}`);
    await store.close();
    assert.throws(() => statSync(`${file}-wal`), { code: "ENOENT" });
    const again = openSqliteStore(file);
    assert.equal(await again.balance("alice"), -120_000n);
    await again.close();
  });

  it("is moved by the commits themselves when the thread for it can't work", async (t) => {
    const path = ledgerIn(t);
    const file = openSqliteFile(path);
    t.after(() => file.close());
    const told = Promise.withResolvers<void>();
    const log = mock.fn(() => told.resolve());
    const checkpoints = new SqliteCheckpoints(file.db, join(path, "absent", "ledger.db"), log);
    checkpoints.committed(1_000);
    await told.promise;
    assert.equal(pragma(file.db, "wal_autocheckpoint"), 1_000);
    checkpoints.committed(1_000);
    await checkpoints.close();
    assert.equal(log.mock.callCount(), 1);
  });
});

describe("a ledger's version", () => {
  /** As version 1 made it, whatever later ones do. */
  const addedLater = "ALTER TABLE entries ADD COLUMN tag TEXT; UPDATE entries SET tag = 'old'";

  it("is raised step by step, with what it holds", async (t) => {
    const path = ledgerIn(t);
    const store = openSqliteStore(path);
    await store.post(entry("a"));
    await store.close();
    const db = new DatabaseSync(path);
    const steps = [...Array.from({ length: schemaVersion }, () => "never run again"), addedLater];
    assert.equal(prepareSchema(db, steps), undefined);
    assert.equal(pragma(db, "user_version"), schemaVersion + 1);
    assert.deepEqual({ ...db.prepare("SELECT id, tag FROM entries").get() }, { id: "a", tag: "old" });
    assert.match(
      String(prepareSchema(db)),
      new RegExp(`has version ${schemaVersion + 1}.*update the program`),
    );
    db.close();
  });

  it("stays when one of the steps fails, and nothing of the others is kept", async (t) => {
    const path = ledgerIn(t);
    await openSqliteStore(path).close();
    const db = new DatabaseSync(path);
    const steps = [...Array.from({ length: schemaVersion }, () => ""), addedLater, "DROP TABLE absent"];
    assert.throws(() => prepareSchema(db, steps), /absent/);
    assert.equal(pragma(db, "user_version"), schemaVersion);
    assert.equal(db.isTransaction, false);
    assert.throws(() => db.prepare("SELECT tag FROM entries"));
    db.close();
    await openSqliteStore(path).close();
  });
});

describe("a damaged ledger", () => {
  it("that was cut short is refused by name, and may be opened again when it is restored", async (t) => {
    const path = ledgerIn(t);
    const store = openSqliteStore(path);
    await Promise.all(Array.from({ length: 2_500 }, (_, i) => store.post(entry(`e${i}`))));
    await store.close();
    truncateSync(path, 3 * 4_096);
    assert.throws(() => openSqliteStore(path), {
      code: "LEDGER_OPEN",
      message: /ledger\.db is damaged or no ledger; restore it from a backup/,
    });
    rmSync(path);
    await openSqliteStore(path).close();
  });
});
