/**
 * The ledger's tables in PostgreSQL, in the first schema of the connection's `search_path`.
 *
 * `sluice_ledger` has one row: the chain's head. Whoever appends holds it from before the first look until the commit,
 * so that entries get their places and hashes one transaction after the other, whichever replica writes. What appends is
 * a function (postgres-append-function.ts).
 */
import pg from "pg";
import { LedgerOpenError } from "./errors.ts";
import {
  appendBody,
  appendFunction,
  appendSignature,
  appendsTable,
  createAppendFunction,
} from "./postgres-append-function.ts";
import type { Connection } from "./postgres-connections.ts";

/**
 * One step per version: `migrations[n]` makes version n + 1 of version n. Never change one that was released. A step has
 * to end within the store's `timeoutMs`.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE sluice_ledger (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO sluice_ledger (version, seq, hash) VALUES (0, 0, repeat('0', 64));
  CREATE TABLE sluice_entries (
    seq bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    debit text COLLATE "C" NOT NULL,
    credit text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    memo text,
    hash text NOT NULL
  );
  CREATE INDEX sluice_entries_debit ON sluice_entries (debit, seq);
  CREATE INDEX sluice_entries_credit ON sluice_entries (credit, seq);
  CREATE TABLE sluice_balances (account text COLLATE "C" PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 70);
  CREATE TABLE sluice_counters (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL) WITH (fillfactor = 70);
  CREATE TABLE sluice_counter_flushes (
    replica text COLLATE "C" PRIMARY KEY,
    flush bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  ) WITH (fillfactor = 50);
  `,
];

/** The version that this program reads and writes. */
export const postgresSchemaVersion: number = migrations.length;

/** Replicas that start together make the tables one after the other. Any number will do, if it stays. */
const schemaLock = 0x534c5549;

/** What the program needs of the server. */
const oldestServer = 120_000;

/**
 * Makes the tables, or brings them to `postgresSchemaVersion`. May be repeated.
 *
 * @param steps the migrations; others only in tests
 * @throws {LedgerOpenError} when the database can't be used: the message says why, and doesn't name the place
 */
export async function preparePostgresSchema(
  connection: Connection,
  steps: readonly string[] = migrations,
): Promise<void> {
  await connection.lastRows(
    `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(${schemaLock})`,
  );
  const [[server, encoding, schema, found] = []] = await connection.rows<
    [number, string, string | null, boolean]
  >(
    `SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), current_schema(),
       to_regclass('sluice_ledger') IS NOT NULL`,
  );
  if (server !== undefined && server < oldestServer)
    throw new LedgerOpenError("the server is older than PostgreSQL 12");
  if (encoding !== "UTF8") {
    throw new LedgerOpenError(
      `the database's encoding is ${encoding}; make one with UTF8, which holds every text`,
    );
  }
  if (schema === null) throw new LedgerOpenError("the connection's search_path names no schema; set one");
  const version = found === true ? await readVersion(connection) : 0;
  if (version > steps.length) {
    throw new LedgerOpenError(
      `its ledger has version ${version}, and this program knows versions up to ${steps.length}; update the program`,
    );
  }
  try {
    for (const step of steps.slice(version)) await connection.lastRows(step);
    if (version < steps.length)
      await connection.rows("UPDATE sluice_ledger SET version = $1", [steps.length]);
    await addAppend(connection);
  } catch (cause) {
    throw explained(cause, schema);
  }
  await connection.commit();
}

/** What appends: it may come and go without the tables' version, which holds for all servers on the database. */
async function addAppend(connection: Connection): Promise<void> {
  const [[table, body] = []] = await connection.rows<[boolean, string | null]>(
    `SELECT to_regclass('sluice_appends') IS NOT NULL,
       (SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure($1))`,
    [appendSignature],
  );
  if (table !== true) await connection.lastRows(appendsTable);
  if (body !== appendBody) await connection.lastRows(createAppendFunction);
  const [[usable] = []] = await connection.rows<[boolean]>(
    `SELECT has_function_privilege($1, 'EXECUTE') AND has_table_privilege('sluice_appends', 'SELECT')
       AND has_table_privilege('sluice_appends', 'INSERT') AND has_table_privilege('sluice_appends', 'UPDATE')
       AND has_table_privilege('sluice_appends', 'DELETE')`,
    [appendSignature],
  );
  if (usable === true) return;
  throw new LedgerOpenError(
    `this role may not use what appends posts; let its owner GRANT EXECUTE ON FUNCTION ${appendFunction} and GRANT ` +
      "SELECT, INSERT, UPDATE, DELETE ON sluice_appends to it",
  );
}

const insufficientPrivilege = "42501";
const undefinedObject = "42704";

/** An error of making tables and function, with what to do about it where that is known. */
function explained(cause: unknown, schema: string | undefined): unknown {
  if (!(cause instanceof pg.DatabaseError)) return cause;
  const { code, message } = cause;
  if (code === insufficientPrivilege) {
    return new LedgerOpenError(
      `${message}. This program needs tables and a function that its schema has not yet: GRANT CREATE ON SCHEMA ` +
        `"${schema}" to this role, or start one server as the tables' owner first`,
      { cause },
    );
  }
  if (code === undefinedObject && message.includes("plpgsql")) {
    return new LedgerOpenError(`${message}; run CREATE EXTENSION plpgsql in the database`, { cause });
  }
  return cause;
}

async function readVersion(connection: Connection): Promise<number> {
  const [[version] = []] = await connection.rows<[number]>("SELECT version FROM sluice_ledger");
  if (version !== undefined) return version;
  throw new LedgerOpenError("its table sluice_ledger is empty; restore the database from a backup");
}
