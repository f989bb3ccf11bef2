/** Copies a ledger's SQLite file while a server writes to it, and proves the copy whole. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { type AuditResult, auditLedger } from "./audit.ts";
import { LedgerBackupError } from "./errors.ts";
import { syncFolder } from "./sqlite-open.ts";
import { unusable } from "./sqlite-schema.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/** What was copied. */
export interface BackupReport extends Pick<AuditResult, "entries" | "head"> {
  readonly file: string;
  readonly bytes: number;
}

/** All pages in one step: with several, a server that writes meanwhile would make the copy begin again and again. */
const allPages = 2 ** 31 - 1;

/**
 * Copies what is durable at this moment, as one consistent state. The server, if one runs, is not disturbed: the copy
 * reads beside it as any reader of a WAL does, and the lock that keeps a second server away is not touched.
 *
 * The copy is audited, written to the disk and only then given its name.
 *
 * @throws {LedgerBackupError} when there is no such ledger, the target exists, or the copy is not whole
 */
export async function backupSqlite(path: string, target: string): Promise<BackupReport> {
  const source = resolve(path);
  const file = resolve(target);
  if (!existsSync(source)) throw new LedgerBackupError(`there is no ledger ${source}; name it with --store`);
  if (existsSync(file)) throw new LedgerBackupError(`${file} exists; name a new file`);
  const partial = `${file}.partial`;
  removeCopy(partial);
  try {
    await copy(source, partial);
    const { ok, entries, head } = await audit(partial);
    if (!ok) {
      throw new LedgerBackupError(
        `the copy of ${source} fails its audit, so the ledger itself may be damaged`,
      );
    }
    makeOneFile(partial);
    renameSync(partial, file);
    syncFolder(dirname(file));
    return { file, entries, head, bytes: statSync(file).size };
  } catch (cause) {
    if (cause instanceof LedgerBackupError) throw cause;
    const why = (cause as Error).message;
    throw new LedgerBackupError(`the ledger ${source} can't be copied to ${file}: ${why}`, { cause });
  } finally {
    removeCopy(partial);
  }
}

async function copy(source: string, partial: string): Promise<void> {
  const db = new DatabaseSync(source, { readOnly: true });
  try {
    const why = unusable(db);
    if (why !== undefined) throw new LedgerBackupError(`the ledger ${source} can't be copied: ${why}`);
    // Readable for its owner alone from the first byte.
    closeSync(openSync(partial, "wx", 0o600));
    await backup(db, partial, { rate: allPages });
  } finally {
    db.close();
  }
}

async function audit(partial: string): Promise<AuditResult> {
  const store = openSqliteStore(partial);
  try {
    return await auditLedger(store);
  } finally {
    await store.close();
  }
}

/** Without a WAL beside it. The store that opens it makes one again. */
function makeOneFile(partial: string): void {
  const db = new DatabaseSync(partial);
  db.exec("PRAGMA journal_mode = DELETE");
  db.close();
  const descriptor = openSync(partial, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function removeCopy(partial: string): void {
  for (const end of ["", "-wal", "-shm", ".lock"]) rmSync(`${partial}${end}`, { force: true });
}
