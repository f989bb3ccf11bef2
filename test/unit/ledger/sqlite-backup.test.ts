import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { auditLedger } from "../../../src/ledger/audit.ts";
import { backupSqlite } from "../../../src/ledger/sqlite-backup.ts";
import { openSqliteStore } from "../../../src/ledger/sqlite-store.ts";
import { runSluice } from "../cli/run-sluice.ts";
import { entry } from "./store-contract.ts";

function createFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-backup-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("a backup of a ledger", () => {
  it("is one whole state, though posts go on, and can be opened as a ledger", async (t) => {
    const folder = createFolder(t);
    const file = join(folder, "ledger.db");
    const copy = join(folder, "copy.db");
    const store = openSqliteStore(file);
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => store.post(entry(`e${i}`))));
    await store.track("hits", 3n);
    await store.flush();
    let posting = true;
    const posts = (async () => {
      for (let i = 0; posting; i++) await store.postAll([entry(`m${i}`), entry(`n${i}`)]);
    })();
    const report = await backupSqlite(file, copy).finally(() => {
      posting = false;
    });
    await posts;
    assert.ok(report.entries >= 3_000 && report.entries % 2 === 0);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("copy")),
      ["copy.db"],
    );
    assert.equal(statSync(copy).mode & 0o777, 0o600);
    const copied = openSqliteStore(copy);
    const { ok, entries, head } = await auditLedger(copied);
    assert.deepEqual([ok, entries, head], [true, report.entries, report.head]);
    assert.deepEqual(await copied.counters(), new Map([["hits", 3n]]));
    assert.deepEqual(await copied.post(entry("e7")), { seq: 8, duplicate: true });
    await copied.close();
    assert.equal((await auditLedger(store)).ok, true);
    await store.close();
  });

  it("of a closed ledger leaves it as it is", async (t) => {
    const folder = createFolder(t);
    const file = join(folder, "ledger.db");
    const store = openSqliteStore(file);
    await store.post(entry("a"));
    await store.close();
    assert.equal((await backupSqlite(file, join(folder, "copy.db"))).entries, 1);
    await openSqliteStore(file).close();
  });

  it("is refused when there is no ledger, the target exists, or the copy fails its audit; nothing is left", async (t) => {
    const folder = createFolder(t);
    const file = join(folder, "ledger.db");
    const copy = join(folder, "copy.db");
    await assert.rejects(backupSqlite(file, copy), { code: "LEDGER_BACKUP", message: /there is no ledger/ });
    writeFileSync(file, "no database ".repeat(100));
    await assert.rejects(backupSqlite(file, copy), { code: "LEDGER_BACKUP", message: /can't be copied/ });
    rmSync(file);
    const store = openSqliteStore(file);
    await store.postAll([entry("a"), entry("b")]);
    await store.close();
    writeFileSync(copy, "mine");
    await assert.rejects(backupSqlite(file, copy), { code: "LEDGER_BACKUP", message: /copy\.db exists/ });
    rmSync(copy);
    const db = new DatabaseSync(file);
    db.exec("UPDATE entries SET amount = 11 WHERE seq = 2");
    db.close();
    await assert.rejects(backupSqlite(file, copy), { code: "LEDGER_BACKUP", message: /fails its audit/ });
    assert.equal(existsSync(copy), false);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("copy")),
      [],
    );
  });
});

describe("sluice ledger backup", () => {
  it("says what the copy holds, and what it needs to be told", async (t) => {
    const folder = createFolder(t);
    const file = join(folder, "ledger.db");
    const store = openSqliteStore(file);
    await store.post(entry("a"));
    const copy = join(folder, "copy.db");
    const done = await runSluice(["ledger", "backup", copy, "--store", `sqlite:${file}`]);
    await store.close();
    assert.equal(done.code, 0, done.err);
    const { file: written, entries } = JSON.parse(done.out) as { file: string; entries: number };
    assert.deepEqual([written, entries], [copy, 1]);
    const again = await runSluice(["ledger", "backup", copy, "--store", `sqlite:${file}`]);
    assert.deepEqual([again.code, /exists; name a new file/.test(again.err)], [1, true]);
    for (const args of [["ledger"], ["ledger", "restore", "x"], ["ledger", "backup"]]) {
      const refused = await runSluice(args);
      assert.deepEqual([refused.code, /sluice ledger backup FILE/.test(refused.err)], [2, true]);
    }
    const postgres = await runSluice(["ledger", "backup", "x", "--store", "postgres://me:secret@host/db"]);
    assert.deepEqual([postgres.code, /pg_dump/.test(postgres.err)], [2, true]);
    assert.doesNotMatch(postgres.err, /secret/);
  });
});
