/** What the errors of PostgreSQL and of its client mean. */
import pg from "pg";

/** SQLSTATEs (or their first letters) after which the same can be tried again, on another connection. */
const passing = [
  "08", // The connection was lost.
  "25006", // Read-only: a standby took the place of the server, or the reverse.
  "25P03", // Ended for being idle in a transaction: this process stood still.
  "40", // Deadlock, serialization.
  "53300", // Too many connections.
  "55P03", // A lock was not to be had.
  "57", // The server stops, starts, or has cancelled the statement: `statement_timeout`.
];

/** Whether an error says that the database is away for now, or refuses for good. */
export function isPassing(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return passing.some((code) => error.code?.startsWith(code) === true);
  if (error instanceof TypeError || error instanceof RangeError) return false;
  // Errors of sockets and of the client itself (its timeouts) pass; the ledger's own do not.
  return error instanceof Error && !String((error as { code?: unknown }).code).startsWith("LEDGER_");
}

/** SQLSTATEs (or their first letters) of errors that end the session, perhaps after its COMMIT was carried out. */
const ending = ["08", "25P03", "25P04", "57P"];

/** Whether an error is the server's word that it has rolled the transaction back. */
export function isRolledBack(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !ending.some((code) => error.code?.startsWith(code) !== false);
}
