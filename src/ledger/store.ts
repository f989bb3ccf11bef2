/** What the ledger asks of a store: one contract, whatever database keeps it. */

/** One transfer, as stores take and give it. */
export interface LedgerEntry {
  /** The client's idempotency key. */
  readonly id: string;
  readonly debit: string;
  readonly credit: string;
  /** Greater than zero, at most the largest i64. */
  readonly amount: bigint;
  readonly memo?: string | undefined;
}

/** An entry in its place. */
export interface StoredEntry extends LedgerEntry {
  /** Counted from 1, without gaps. */
  readonly seq: number;
}

/** Proof that an entry is durable. */
export interface LedgerReceipt {
  readonly seq: number;
  readonly duplicate: boolean;
}

/** An entry as an audit reads it: seq, id, debit, credit, amount, memo, hash. A tuple, because it is copied by the million. */
export type AuditRow = readonly [
  seq: number,
  id: string,
  debit: string,
  credit: string,
  amount: bigint,
  memo: string | null,
  hash: string,
];

/** Stored balances as they were when the entry `seq` was the last one. */
export interface BalancePage {
  readonly seq: number;
  /** Ordered by account, each greater than the page's `afterAccount`. Empty behind the last account. */
  readonly balances: readonly (readonly [account: string, balance: bigint])[];
}

/** How many entries `entries` returns when asked for none or less. */
export const defaultEntriesLimit = 100;
/** The most entries that `entries` returns at once: page on with the last one's seq. */
export const maxEntriesLimit = 1_000;
/** A page ends early when its memos have so many characters: an answer must fit into a frame. */
export const maxPageCharacters: number = 2 * 1024 * 1024;

/**
 * The ledger's store. Methods may be called at the same time; those that change something take effect in the
 * order of their calls.
 *
 * All of them reject with `LedgerClosedError` after `close`, and the writing ones with `LedgerWriteError` when the
 * database refuses: then nothing of the call was kept, and the store goes on. A store whose database is elsewhere
 * rejects with `LedgerUnavailableError` what that does not answer within `timeoutMs`; it goes on when the database is
 * back.
 */
export interface LedgerStore {
  /**
   * Keeps an entry; resolves when it is durable. An id that is known, with the same content, gives the first
   * receipt with `duplicate: true`.
   *
   * @throws {InvalidEntryError} when it breaks a rule (see validate.ts), when the id is known with other content, or
   *   when an account's balance would leave the range of i64; nothing is changed then
   */
  post(entry: LedgerEntry): Promise<LedgerReceipt>;

  /** Keeps all entries or, when one of them is invalid, none. Receipts in the order of the entries. */
  postAll(entries: readonly LedgerEntry[]): Promise<LedgerReceipt[]>;

  /** What was credited to the account less what was debited from it; 0 for an unknown one. */
  balance(account: string): Promise<bigint>;

  /**
   * The account's entries behind `afterSeq`, oldest first: `limit` of them, within `maxEntriesLimit`, and fewer when
   * their memos are long. Empty only behind the last one.
   */
  entries(account: string, afterSeq: number, limit: number): Promise<StoredEntry[]>;

  /** Raw entries behind `afterSeq` in order, at most `limit`. Empty behind the last one. */
  auditRows(afterSeq: number, limit: number): Promise<AuditRow[]>;

  /** Stored balances of the accounts behind `afterAccount` ("" for the first page), at most `limit`. */
  auditBalances(afterAccount: string, limit: number): Promise<BalancePage>;

  /**
   * Adds to a counter in memory; durable within the flush interval and at `flush`. Stays within the range of i64.
   *
   * @throws {InvalidCounterError} when the name is empty or too long
   */
  track(counter: string, delta: bigint): Promise<void>;

  /** All counters, what is not yet durable included. */
  counters(): Promise<Map<string, bigint>>;

  /** Makes durable everything that was posted or tracked before. */
  flush(): Promise<void>;

  /** What was committed since the store was opened. */
  commits(): Promise<CommitStats>;

  /** Flushes and gives the database back. Calling it again does nothing. */
  close(): Promise<void>;
}

/** How posts were committed together. */
export interface CommitStats {
  /** Transactions. */
  readonly commits: number;
  /** Posts and lists of posts in them: what had a caller that waited. */
  readonly posts: number;
  /** The most posts of one transaction. */
  readonly largest: number;
  /** The time from a transaction's begin until its entries were durable: all of them together, and the longest, in ms. */
  readonly totalMs: number;
  readonly longestMs: number;
}

/** How a store behaves. */
export interface LedgerStoreOptions {
  /** How long `track` may be held back in memory, in ms. Default: 1000. */
  readonly flushIntervalMs?: number;
  /** How long a call may wait for a database that is elsewhere, in ms. Default: 5000. */
  readonly timeoutMs?: number;
  /** Told what no caller waits for. Default: nobody. */
  readonly log?: (
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields?: Record<string, unknown>,
  ) => void;
}

export const defaultFlushIntervalMs = 1_000;
export const defaultStoreTimeoutMs = 5_000;
