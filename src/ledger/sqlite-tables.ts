/** The statements of the SQLite store: rows in, rows out, no rules. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { entryOfRow, type JournalEntry, type JournalHead, type JournalRow } from "./journal.ts";
import type { AuditRow } from "./store.ts";

/** Prepared once, because preparing costs more than running. All methods are synchronous and throw SQLite's errors. */
export class SqliteTables {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #insertEntry: StatementSync;
  readonly #seqOfId: StatementSync;
  readonly #entryAt: StatementSync;
  readonly #balanceOf: StatementSync;
  readonly #setBalance: StatementSync;
  readonly #setCounter: StatementSync;
  readonly #entriesOf: StatementSync;
  readonly #journal: StatementSync;
  readonly #balances: StatementSync;
  readonly #indexIds: StatementSync;
  readonly #indexPostings: StatementSync;
  readonly #setIndexed: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const prepare = (sql: string): StatementSync => db.prepare(sql);
    this.#begin = prepare("BEGIN IMMEDIATE");
    this.#commit = prepare("COMMIT");
    this.#insertEntry = prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#seqOfId = prepare("SELECT seq FROM ids WHERE id = ?");
    this.#entryAt = prepare("SELECT seq, id, debit, credit, amount, memo, hash FROM entries WHERE seq = ?");
    this.#balanceOf = prepare("SELECT balance FROM balances WHERE account = ?");
    this.#setBalance = prepare(
      "INSERT INTO balances VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET balance = excluded.balance",
    );
    this.#setCounter = prepare(
      "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    );
    this.#entriesOf = prepare(
      `SELECT e.seq, e.id, e.debit, e.credit, e.amount, e.memo, e.hash
       FROM postings p JOIN entries e ON e.seq = p.seq
       WHERE p.account = ? AND p.seq > ? ORDER BY p.seq LIMIT ?`,
    );
    this.#journal = prepare(
      "SELECT seq, id, debit, credit, amount, memo, hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
    );
    this.#balances = prepare(
      "SELECT account, balance FROM balances WHERE account > ? ORDER BY account LIMIT ?",
    );
    this.#indexIds = prepare(
      "INSERT INTO ids SELECT id, seq FROM entries WHERE seq > ? AND seq <= ? ORDER BY id",
    );
    this.#indexPostings = prepare(
      `INSERT INTO postings SELECT debit, seq FROM entries WHERE seq > ?1 AND seq <= ?2
       UNION ALL SELECT credit, seq FROM entries WHERE seq > ?1 AND seq <= ?2 ORDER BY 1, 2`,
    );
    this.#setIndexed = prepare("UPDATE indexed SET seq = ?");
    for (const exact of [this.#entryAt, this.#entriesOf, this.#journal]) {
      exact.setReadBigInts(true);
      exact.setReturnArrays(true);
    }
    this.#balanceOf.setReadBigInts(true);
    this.#balances.setReadBigInts(true);
    this.#balances.setReturnArrays(true);
  }

  /** Runs `write` in one transaction. When it or the commit throws, nothing of it is kept. */
  transaction(write: () => void): void {
    this.#begin.run();
    try {
      write();
      this.#commit.run();
    } catch (error) {
      // Some errors (a full disk) have rolled back already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  insertEntry(entry: JournalEntry): void {
    const { seq, id, debit, credit, amount, memo, hash } = entry;
    this.#insertEntry.run(seq, id, debit, credit, amount, memo ?? null, hash);
  }

  /** The place of an indexed entry. */
  seqOfId(id: string): number | undefined {
    return this.#seqOfId.get(id)?.["seq"] as number | undefined;
  }

  entryAt(seq: number): JournalEntry | undefined {
    const row = this.#entryAt.get(seq);
    return row === undefined ? undefined : entryOfRow(row as unknown as JournalRow);
  }

  /** The last entry, which only the journal knows. */
  head(): JournalHead | undefined {
    const row = this.#db.prepare("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").get();
    return row as unknown as JournalHead | undefined;
  }

  /** How far the indexes follow the journal. */
  indexedSeq(): number {
    return this.#db.prepare("SELECT seq FROM indexed").get()?.["seq"] as number;
  }

  balanceOf(account: string): bigint | undefined {
    return this.#balanceOf.get(account)?.["balance"] as bigint | undefined;
  }

  setBalance(account: string, balance: bigint): void {
    this.#setBalance.run(account, balance);
  }

  /** Brings ids and postings from `afterSeq` to `seq`, in key order: neighbours share pages. */
  index(afterSeq: number, seq: number): void {
    this.#indexIds.run(afterSeq, seq);
    this.#indexPostings.run(afterSeq, seq);
    this.#setIndexed.run(seq);
  }

  /** An account's indexed entries. */
  entriesOf(account: string, afterSeq: number, limit: number): JournalEntry[] {
    return (this.#entriesOf.all(account, afterSeq, limit) as unknown as JournalRow[]).map(entryOfRow);
  }

  journal(afterSeq: number, limit: number): AuditRow[] {
    const rows = this.#journal.all(afterSeq, limit) as unknown as JournalRow[];
    return rows.map(([seq, ...rest]) => [Number(seq), ...rest]);
  }

  balances(afterAccount: string, limit: number): [string, bigint][] {
    return this.#balances.all(afterAccount, limit) as unknown as [string, bigint][];
  }

  counters(): [string, bigint][] {
    const statement = this.#db.prepare("SELECT name, value FROM counters");
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement.all() as unknown as [string, bigint][];
  }

  setCounter(name: string, value: bigint): void {
    this.#setCounter.run(name, value);
  }
}
