/** The statements of the PostgreSQL store: rows in, rows out, no rules. */
import { entryOfRow, type JournalEntry, type JournalRow } from "./journal.ts";
import type { Connection } from "./postgres-connections.ts";
import type { AuditRow, BalancePage } from "./store.ts";

const entryColumns = "seq, id, debit, credit, amount, memo, hash";

export async function balanceOf(connection: Connection, account: string): Promise<bigint> {
  const [row] = await connection.rows<[bigint]>("SELECT balance FROM sluice_balances WHERE account = $1", [
    account,
  ]);
  return row?.[0] ?? 0n;
}

/** An account's entries: from each of two indexes a page, and of both the first page. */
export async function entriesOf(
  connection: Connection,
  account: string,
  afterSeq: number,
  limit: number,
): Promise<JournalEntry[]> {
  const side = (column: string): string =>
    `(SELECT ${entryColumns} FROM sluice_entries WHERE ${column} = $1 AND seq > $2 ORDER BY seq LIMIT $3)`;
  const rows = await connection.rows<JournalRow>(
    `${side("debit")} UNION ALL ${side("credit")} ORDER BY seq LIMIT $3`,
    [account, String(afterSeq), limit],
  );
  return rows.map(entryOfRow);
}

export async function journal(connection: Connection, afterSeq: number, limit: number): Promise<AuditRow[]> {
  const rows = await connection.rows<JournalRow>(
    `SELECT ${entryColumns} FROM sluice_entries WHERE seq > $1 ORDER BY seq LIMIT $2`,
    [String(afterSeq), limit],
  );
  return rows.map(([seq, ...rest]) => [Number(seq), ...rest]);
}

/** One statement, so that head and balances are of one moment. */
export async function balancePage(
  connection: Connection,
  afterAccount: string,
  limit: number,
): Promise<BalancePage> {
  const rows = await connection.rows<[bigint, string | null, bigint]>(
    `SELECT head.seq, page.account, page.balance FROM sluice_ledger head LEFT JOIN (
       SELECT account, balance FROM sluice_balances WHERE account > $1 ORDER BY account LIMIT $2
     ) page ON true ORDER BY page.account`,
    [afterAccount, limit],
  );
  const balances: (readonly [string, bigint])[] = [];
  for (const [, account, balance] of rows) if (account !== null) balances.push([account, balance]);
  return { seq: Number(rows[0]?.[0] ?? 0n), balances };
}

export async function storedCounters(connection: Connection): Promise<Map<string, bigint>> {
  const rows = await connection.rows<[string, bigint]>("SELECT name, value FROM sluice_counters");
  return new Map(rows);
}

/**
 * Adds to counters, once: a repetition with the same number changes nothing. In the order of names, because replicas
 * that add to the same counters in different orders would wait for each other.
 */
export async function addToCounters(
  connection: Connection,
  replica: string,
  flush: number,
  deltas: readonly (readonly [name: string, delta: bigint])[],
): Promise<void> {
  await connection.rows(
    `WITH first AS (
       INSERT INTO sluice_counter_flushes AS known (replica, flush) VALUES ($1, $2)
       ON CONFLICT (replica) DO UPDATE SET flush = excluded.flush, at = now() WHERE known.flush < excluded.flush
       RETURNING 1
     )
     INSERT INTO sluice_counters AS counter (name, value)
     SELECT name, ${clamped("delta")} FROM unnest($3::text[], $4::numeric[]) AS added (name, delta)
     WHERE EXISTS (SELECT FROM first) ORDER BY name COLLATE "C"
     ON CONFLICT (name) DO UPDATE SET value = ${clamped("counter.value::numeric + excluded.value")}`,
    [replica, flush, deltas.map(([name]) => name), deltas.map(([, delta]) => String(delta))],
  );
}

/** Forgets a replica that will not repeat its last flush, and those that ended long ago without a word. */
export function forgetFlushes(connection: Connection, replica: string): Promise<void> {
  return forget(connection, "sluice_counter_flushes", replica);
}

/** The same of the last group of posts. */
export function forgetAppends(connection: Connection, replica: string): Promise<void> {
  return forget(connection, "sluice_appends", replica);
}

async function forget(connection: Connection, table: string, replica: string): Promise<void> {
  await connection.rows(`DELETE FROM ${table} WHERE replica = $1 OR at < now() - interval '30 days'`, [
    replica,
  ]);
}

function clamped(sum: string): string {
  return `greatest(-9223372036854775808, least(9223372036854775807, ${sum}))::bigint`;
}
