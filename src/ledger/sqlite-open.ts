/** Opens a ledger's SQLite file: its folder, its mode, its lock, its version. */
import { accessSync, closeSync, constants, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LedgerInUseError, LedgerOpenError } from "./errors.ts";
import { prepareSchema } from "./sqlite-schema.ts";

/** An open ledger file. */
export interface SqliteFile {
  readonly db: DatabaseSync;
  /** Absolute, or ":memory:". */
  readonly path: string;
  /** As errors and logs name it. */
  readonly place: string;
  /** Closes the file and lets the next process in. */
  close(): void;
}

const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/**
 * Opens or makes the file (mode 0600, its folder 0700) for this process alone.
 *
 * @param path relative ones start at the working directory; ":memory:" keeps nothing
 * @throws {LedgerOpenError} when the path can't be written, another process has the file, it is damaged, no ledger,
 *   or of a newer version
 */
export function openSqliteFile(path: string): SqliteFile {
  if (path === ":memory:") return openDatabase(":memory:", "memory", () => {});
  const file = resolve(path);
  createFile(file);
  const lock = lockFile(file);
  try {
    return openDatabase(file, file, () => lock.close());
  } catch (error) {
    lock.close();
    throw error;
  }
}

function createFile(file: string): void {
  try {
    makeFolder(dirname(file));
    // Made here because SQLite would make it readable for all; its -wal and -shm files take the mode of this one.
    createIfMissing(file);
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new LedgerOpenError(`the ledger's store ${file} can't be written: ${why}`, { cause });
  }
}

/**
 * A folder that was just made is lost with the power until the one above it is written. Made one by one: Node's own
 * `recursive` never returns where a file system takes no folders but says ENOENT, as /proc does.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  makeFolder(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process was quicker.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  syncFolder(above);
}

/** Makes names in a folder durable. Windows knows no such thing. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Never opens a file that is there: closing it would end the locks that this process holds on it (POSIX). */
function createIfMissing(file: string): void {
  try {
    closeSync(openSync(file, "ax", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/**
 * One process per file. Node has no file locks, SQLite has: an exclusive transaction on a file beside the store, which
 * the system ends with the process, however that dies. The store's own file stays readable for backups meanwhile.
 */
function lockFile(file: string): DatabaseSync {
  const lockPath = `${file}.lock`;
  let lock: DatabaseSync | undefined;
  try {
    createIfMissing(lockPath);
    lock = new DatabaseSync(lockPath);
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock?.close();
    const busy = (cause as { errcode?: number }).errcode === sqliteBusy;
    if (busy) {
      const message = `the ledger's store ${file} is in use by another process; stop that one, or choose another file`;
      throw new LedgerInUseError(message, { cause });
    }
    const why = `can't be locked (${lockPath}): ${(cause as Error).message}`;
    throw new LedgerOpenError(`the ledger's store ${file} ${why}`, { cause });
  }
}

function openDatabase(path: string, place: string, unlock: () => void): SqliteFile {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // On macOS only fullfsync reaches the disk; elsewhere it changes nothing.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1");
    db.exec("PRAGMA checkpoint_fullfsync = 1; PRAGMA cache_size = -32768");
    const unusable = prepareSchema(db);
    if (unusable !== undefined)
      throw new LedgerOpenError(`the ledger's store ${place} can't be used: ${unusable}`);
  } catch (cause) {
    closeQuietly(db);
    throw cause instanceof LedgerOpenError ? cause : openError(place, cause);
  }
  const opened = db;
  const close = (): void => {
    try {
      opened.close();
    } finally {
      unlock();
    }
  };
  return { db: opened, path, place, close };
}

/** Says in words what SQLite reported while it opened or first read the file. */
export function openError(place: string, cause: unknown): LedgerOpenError {
  const { errcode, message } = cause as { errcode?: number; message: string };
  // The low byte is the error, the rest says where.
  const code = (errcode ?? 0) & 0xff;
  const damaged = code === sqliteCorrupt || code === sqliteNotADatabase;
  const why = damaged ? "is damaged or no ledger; restore it from a backup" : "can't be opened";
  return new LedgerOpenError(`the ledger's store ${place} ${why}: ${message}`, { cause });
}

function closeQuietly(db: DatabaseSync | undefined): void {
  try {
    db?.close();
  } catch {
    // The error that led here says more.
  }
}
