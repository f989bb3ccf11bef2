/**
 * The ledger on SQLite, for the one thread that owns the file.
 *
 * Posts that arrive in one turn of the event loop are committed together, because the disk's flush costs far more
 * than the rows; receipts resolve after the commit.
 */
import { type Attempt, attempt } from "./attempt.ts";
import { Book } from "./book.ts";
import { CommitTally } from "./commit-tally.ts";
import { CounterBuffer } from "./counters.ts";
import { LedgerClosedError, LedgerWriteError } from "./errors.ts";
import { entryOfRow, pageOf } from "./journal.ts";
import { SqliteCheckpoints } from "./sqlite-checkpoints.ts";
import { openError, openSqliteFile, type SqliteFile } from "./sqlite-open.ts";
import { SqliteTables } from "./sqlite-tables.ts";
import {
  type AuditRow,
  type BalancePage,
  type CommitStats,
  defaultEntriesLimit,
  defaultFlushIntervalMs,
  type LedgerEntry,
  type LedgerReceipt,
  type LedgerStore,
  type LedgerStoreOptions,
  maxEntriesLimit,
  type StoredEntry,
} from "./store.ts";
import { checkCounter, checkEntry } from "./validate.ts";

/** So many entries may be behind the index: a step of this size takes a few ms, within the commit that reaches it. */
const indexStep = 2_048;

/** As how many commits an index step counts for the checkpoints. */
const indexStepWeight = 128;

/** At most so many requests in one commit: bounds how long a commit takes. */
const maxGroup = 4_096;

/** One post or postAll that waits for its commit. */
interface Request {
  readonly stage: (book: Book) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens the ledger in an SQLite file.
 *
 * @param path see `openSqliteFile`
 * @throws {LedgerOpenError}
 */
export function openSqliteStore(path: string, options: LedgerStoreOptions = {}): LedgerStore {
  const file = openSqliteFile(path);
  try {
    return new SqliteStore(file, options);
  } catch (cause) {
    file.close();
    throw openError(file.place, cause);
  }
}

class SqliteStore implements LedgerStore {
  readonly #file: SqliteFile;
  readonly #tables: SqliteTables;
  readonly #book: Book;
  readonly #counters: CounterBuffer;
  readonly #flushIntervalMs: number;
  readonly #log: NonNullable<LedgerStoreOptions["log"]>;
  readonly #tally = new CommitTally();
  readonly #checkpoints: SqliteCheckpoints;
  #requests: Request[] = [];
  #counterTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(file: SqliteFile, options: LedgerStoreOptions) {
    this.#file = file;
    this.#flushIntervalMs = options.flushIntervalMs ?? defaultFlushIntervalMs;
    this.#log = options.log ?? (() => {});
    this.#checkpoints = new SqliteCheckpoints(file.db, file.path, this.#log);
    const tables = new SqliteTables(file.db);
    this.#tables = tables;
    this.#book = new Book(
      {
        indexedEntry: (id) => {
          const seq = tables.seqOfId(id);
          return seq === undefined ? undefined : tables.entryAt(seq);
        },
        indexedBalance: (account) => tables.balanceOf(account),
      },
      tables.head(),
    );
    this.#counters = new CounterBuffer(tables.counters());
    this.#restoreTail();
  }

  /** What the last process committed and had not indexed. */
  #restoreTail(): void {
    for (let after = this.#tables.indexedSeq(); ; after += indexStep) {
      const rows = this.#tables.journal(after, indexStep);
      for (const row of rows) this.#book.restore(entryOfRow(row));
      if (rows.length < indexStep) return;
    }
  }

  // The methods are async so that what they throw is a rejection, as with any other store.

  async post(entry: LedgerEntry): Promise<LedgerReceipt> {
    const checked = checkEntry(entry);
    return this.#enqueue((book) => book.stage(checked));
  }

  async postAll(entries: readonly LedgerEntry[]): Promise<LedgerReceipt[]> {
    const checked = entries.map(checkEntry);
    return this.#enqueue((book) => book.stageAll(checked));
  }

  async balance(account: string): Promise<bigint> {
    this.#checkOpen();
    this.#commit();
    return this.#book.balance(account);
  }

  async entries(account: string, afterSeq: number, limit: number): Promise<StoredEntry[]> {
    this.#checkOpen();
    this.#commit();
    const most = limit > 0 ? Math.min(limit, maxEntriesLimit) : defaultEntriesLimit;
    const found = this.#tables.entriesOf(account, afterSeq, most);
    for (const entry of this.#book.tail) {
      if (found.length >= most) break;
      const concerns = entry.debit === account || entry.credit === account;
      if (concerns && entry.seq > afterSeq) found.push(entry);
    }
    return pageOf(found);
  }

  async auditRows(afterSeq: number, limit: number): Promise<AuditRow[]> {
    this.#checkOpen();
    this.#commit();
    return this.#tables.journal(afterSeq, limit);
  }

  async auditBalances(afterAccount: string, limit: number): Promise<BalancePage> {
    this.#checkOpen();
    this.#commit();
    // The table follows in steps; an audit compares it with the journal, so it must have caught up.
    if (this.#book.tailLength > 0) {
      this.#write(() => this.#index());
      this.#book.indexed();
    }
    return { seq: this.#book.head.seq, balances: this.#tables.balances(afterAccount, limit) };
  }

  async track(counter: string, delta: bigint): Promise<void> {
    this.#checkOpen();
    this.#counters.add(checkCounter(counter), delta);
    this.#counterTimer ??= setTimeout(() => this.#flushCountersInBackground(), this.#flushIntervalMs);
  }

  async counters(): Promise<Map<string, bigint>> {
    this.#checkOpen();
    return this.#counters.values();
  }

  async flush(): Promise<void> {
    if (this.#closing !== undefined) return;
    this.#commit();
    this.#flushCounters();
  }

  async commits(): Promise<CommitStats> {
    return this.#tally.stats;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#commit();
    clearTimeout(this.#counterTimer);
    try {
      this.#flushCounters();
    } finally {
      await this.#checkpoints.close();
      this.#file.close();
      this.#log("info", "the ledger is closed", this.#tally.summary);
    }
  }

  #enqueue<T>(stage: (book: Book) => T): Promise<T> {
    this.#checkOpen();
    return new Promise<T>((resolve, reject) => {
      this.#requests.push({ stage, resolve, reject });
      if (this.#requests.length === 1) setImmediate(() => this.#commit());
      else if (this.#requests.length >= maxGroup) this.#commit();
    });
  }

  /** Commits what has been posted so far: what is read afterwards is durable. */
  #commit(): void {
    const requests = this.#requests;
    if (requests.length === 0) return;
    this.#requests = [];
    const startMs = performance.now();
    const before = this.#book.mark();
    let results: Attempt[] = [];
    try {
      // Staged inside the transaction: a lookup outside takes and gives back the file's locks each time.
      this.#write(() => {
        results = requests.map(({ stage }) => attempt(() => stage(this.#book)));
        this.#writeStaged();
      });
    } catch (error) {
      this.#book.backTo(before);
      for (const { reject } of requests) reject(error);
      return;
    }
    this.#book.committed();
    this.#tally.add(requests.length, startMs);
    const indexed = this.#book.tailLength >= indexStep;
    if (indexed) this.#book.indexed();
    // A step of the indexes writes all over them.
    this.#checkpoints.committed(indexed ? indexStepWeight : 1);
    for (let i = 0; i < requests.length; i++) {
      const { resolve, reject } = requests[i] as Request;
      const result = results[i] as Attempt;
      if (result.ok) resolve(result.value as never);
      else reject(result.error);
    }
  }

  #writeStaged(): void {
    for (const entry of this.#book.staged) this.#tables.insertEntry(entry);
    if (this.#book.tailLength >= indexStep) this.#index();
  }

  #index(): void {
    for (const [account, balance] of this.#book.changedBalances()) this.#tables.setBalance(account, balance);
    this.#tables.index(this.#book.head.seq - this.#book.tailLength, this.#book.head.seq);
  }

  #flushCounters(): void {
    if (!this.#counters.hasUnwritten) return;
    const unwritten = [...this.#counters.unwritten()];
    this.#write(() => {
      for (const [name, value] of unwritten) this.#tables.setCounter(name, value);
    }, `; not written: the changes of ${unwritten.length} counters`);
    this.#counters.written();
  }

  #flushCountersInBackground(): void {
    this.#counterTimer = undefined;
    try {
      this.#flushCounters();
    } catch (error) {
      this.#log("error", "counters could not be written; they are kept and tried again", {
        error: (error as Error).message,
      });
      this.#counterTimer = setTimeout(() => this.#flushCountersInBackground(), this.#flushIntervalMs);
    }
  }

  /** @param lost what the error says behind its reason: what was not written */
  #write(write: () => void, lost = ""): void {
    try {
      this.#tables.transaction(write);
    } catch (cause) {
      const why = (cause as Error).message;
      throw new LedgerWriteError(`the ledger's store ${this.#file.place} can't be written: ${why}${lost}`, {
        cause,
      });
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new LedgerClosedError("the ledger's store is closed");
  }
}
