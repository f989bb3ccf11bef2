/** The statements of the PostgreSQL store: rows in, rows out, no rules. */
import { entryOfRow, type JournalEntry, type JournalHead, type JournalRow } from "./journal.ts";
import type { Connection } from "./postgres-connections.ts";
import type { AuditRow, BalancePage } from "./store.ts";

const entryColumns = "seq, id, debit, credit, amount, memo, hash";

/** The chain's head, and the version of the tables as another replica may have changed it. */
export interface LockedHead extends JournalHead {
  readonly version: number;
}

/** Begins a transaction in which nobody else appends. Waits for others' commits. */
export async function beginLocked(connection: Connection): Promise<LockedHead> {
  const [row] = await connection.lastRows<[bigint, string, number]>(
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT seq, hash, version FROM sluice_ledger FOR UPDATE",
  );
  if (row === undefined) throw new Error("the table sluice_ledger is empty");
  const [seq, hash, version] = row;
  return { seq: Number(seq), hash, version };
}

/** What is known of ids and accounts. In a locked transaction: including all that was ever acknowledged. */
export async function lookUp(
  connection: Connection,
  ids: readonly string[],
  accounts: readonly string[],
): Promise<{
  readonly entries: ReadonlyMap<string, JournalEntry>;
  readonly balances: ReadonlyMap<string, bigint>;
}> {
  const rows = await connection.rows<JournalRow>(
    `SELECT ${entryColumns} FROM sluice_entries WHERE id = ANY ($1::text[])
     UNION ALL SELECT 0, account, NULL, NULL, balance, NULL, NULL FROM sluice_balances WHERE account = ANY ($2::text[])`,
    [ids, accounts],
  );
  const entries = new Map<string, JournalEntry>();
  const balances = new Map<string, bigint>();
  for (const row of rows) {
    if (row[0] === 0n) balances.set(row[1], row[4]);
    else entries.set(row[1], entryOfRow(row));
  }
  return { entries, balances };
}

/** Whether the journal holds exactly this entry in its place, and so, by the chain, all before it. */
export async function holds(connection: Connection, { seq, hash }: JournalHead): Promise<boolean> {
  const rows = await connection.rows("SELECT FROM sluice_entries WHERE seq = $1 AND hash = $2", [seq, hash]);
  return rows.length > 0;
}

/**
 * Writes entries, the balances they led to, and the new head. The statement timeout ends here: a COMMIT that waits
 * for a standby must not be broken off and reported as done.
 */
export async function append(
  connection: Connection,
  entries: readonly JournalEntry[],
  balances: readonly (readonly [account: string, balance: bigint])[],
  head: JournalHead,
): Promise<void> {
  await connection.rows(
    `WITH appended AS (
       INSERT INTO sluice_entries (${entryColumns})
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
     ), moved AS (
       INSERT INTO sluice_balances (account, balance) SELECT * FROM unnest($8::text[], $9::bigint[])
       ON CONFLICT (account) DO UPDATE SET balance = excluded.balance
     )
     UPDATE sluice_ledger SET seq = $10, hash = $11 RETURNING set_config('statement_timeout', '0', true)`,
    [
      entries.map(({ seq }) => seq),
      entries.map(({ id }) => id),
      entries.map(({ debit }) => debit),
      entries.map(({ credit }) => credit),
      entries.map(({ amount }) => String(amount)),
      entries.map(({ memo }) => memo ?? null),
      entries.map(({ hash }) => hash),
      balances.map(([account]) => account),
      balances.map(([, balance]) => String(balance)),
      head.seq,
      head.hash,
    ],
  );
}

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
export async function forgetReplica(connection: Connection, replica: string): Promise<void> {
  await connection.rows(
    "DELETE FROM sluice_counter_flushes WHERE replica = $1 OR at < now() - interval '30 days'",
    [replica],
  );
}

function clamped(sum: string): string {
  return `greatest(-9223372036854775808, least(9223372036854775807, ${sum}))::bigint`;
}
