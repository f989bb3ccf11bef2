/**
 * The SQLite file's format.
 *
 * `entries` is an append-only journal, and alone what makes a receipt durable: a commit writes a few
 * neighbouring pages, however the ids and accounts are spread. The other tables are indexes that follow the
 * journal in steps; `indexed.seq` says how far they are, and opening reads the rest of the journal again.
 */
import type { DatabaseSync } from "node:sqlite";

/** In the file's header: "SLUI". Tells a ledger from any other SQLite file. */
const applicationId = 0x534c5549;

/** One step per version: `migrations[n]` makes version n + 1 of version n. Never change one that was released. */
const migrations: readonly string[] = [
  `
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    memo TEXT,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE ids (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE postings (account TEXT, seq INTEGER, PRIMARY KEY (account, seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE balances (account TEXT PRIMARY KEY, balance INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE indexed (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL) STRICT;
  INSERT INTO indexed VALUES (1, 0);
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

/** The version that this program reads and writes. */
export const schemaVersion: number = migrations.length;

/**
 * Brings a new or older file to `schemaVersion`: all the steps that it lacks, or none.
 *
 * @param steps the migrations; others only in tests
 * @returns why the file can't be used, or undefined
 */
export function prepareSchema(db: DatabaseSync, steps: readonly string[] = migrations): string | undefined {
  const why = unusable(db, steps.length);
  const version = pragma(db, "user_version");
  if (why !== undefined || version === steps.length) return why;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const migration of steps.slice(version)) db.exec(migration);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
  return undefined;
}

/** Why a file can't be used, or undefined. An empty one can. Only reads. */
export function unusable(db: DatabaseSync, newest: number = schemaVersion): string | undefined {
  const found = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  const isNew = found === 0 && version === 0 && tableCount(db) === 0;
  if (!isNew && found !== applicationId) return "it is an SQLite file, but not a ledger; name another file";
  if (version > newest) {
    return `it has version ${version}, and this program knows versions up to ${newest}; update the program`;
  }
  return undefined;
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function tableCount(db: DatabaseSync): number {
  return Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
}
