/** The ledger on PostgreSQL, for any number of replicas on one database. */
import { CommitTally } from "./commit-tally.ts";
import { LedgerClosedError, LedgerOpenError } from "./errors.ts";
import { pageOf } from "./journal.ts";
import { type Connection, Pause, PostgresConnections } from "./postgres-connections.ts";
import { PostgresCounters } from "./postgres-counters.ts";
import { isPassing } from "./postgres-errors.ts";
import { PostgresPosts } from "./postgres-posts.ts";
import { preparePostgresSchema } from "./postgres-schema.ts";
import { balanceOf, balancePage, entriesOf, journal } from "./postgres-tables.ts";
import {
  type AuditRow,
  type BalancePage,
  type CommitStats,
  defaultEntriesLimit,
  defaultFlushIntervalMs,
  defaultStoreTimeoutMs,
  type LedgerEntry,
  type LedgerReceipt,
  type LedgerStore,
  type LedgerStoreOptions,
  maxEntriesLimit,
  type StoredEntry,
} from "./store.ts";
import { checkCounter, checkEntry } from "./validate.ts";

/** How long a database that is not there yet is waited for at the start, in ms. */
const openWithinMs = 10_000;

/** How long the last flush may take in a close, in ms: one that was needed has been tried before. */
const closeWithinMs = 1_000;

/**
 * Opens the ledger in a PostgreSQL database, and makes its tables when there are none.
 *
 * @param url `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that libpq knows
 * @throws {LedgerOpenError} when the database can't be reached within 10 s, refuses, or is not usable; the message names
 *   its place without the password
 */
export async function openPostgresStore(url: string, options: LedgerStoreOptions = {}): Promise<LedgerStore> {
  const { timeoutMs = defaultStoreTimeoutMs, log = () => {} } = options;
  const connections = createConnections(url, timeoutMs, log);
  const deadlineMs = performance.now() + openWithinMs;
  const pause = new Pause();
  for (;;) {
    try {
      await connections.once("write", preparePostgresSchema);
      return new PostgresStore(connections, options);
    } catch (cause) {
      if (isPassing(cause) && performance.now() + pause.nextMs < deadlineMs) {
        await pause.wait();
        continue;
      }
      await connections.close();
      const why = connections.textOf(cause);
      throw new LedgerOpenError(`the ledger's store ${connections.place} can't be opened: ${why}`, { cause });
    }
  }
}

function createConnections(
  url: string,
  timeoutMs: number,
  log: NonNullable<LedgerStoreOptions["log"]>,
): PostgresConnections {
  try {
    return new PostgresConnections(url, timeoutMs, log);
  } catch {
    // What the parser says may hold the password.
    throw new LedgerOpenError(
      "store: this PostgreSQL address can't be read; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for @",
    );
  }
}

class PostgresStore implements LedgerStore {
  readonly #connections: PostgresConnections;
  readonly #tally = new CommitTally();
  readonly #posts: PostgresPosts;
  readonly #counters: PostgresCounters;
  readonly #flushIntervalMs: number;
  readonly #log: NonNullable<LedgerStoreOptions["log"]>;
  #counterTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(connections: PostgresConnections, options: LedgerStoreOptions) {
    this.#connections = connections;
    this.#posts = new PostgresPosts(connections, this.#tally);
    this.#counters = new PostgresCounters(connections);
    this.#flushIntervalMs = options.flushIntervalMs ?? defaultFlushIntervalMs;
    this.#log = options.log ?? (() => {});
  }

  async post(entry: LedgerEntry): Promise<LedgerReceipt> {
    const checked = checkEntry(entry);
    this.#checkOpen();
    const [receipt] = await this.#posts.add([checked]);
    return receipt as LedgerReceipt;
  }

  async postAll(entries: readonly LedgerEntry[]): Promise<LedgerReceipt[]> {
    const checked = entries.map(checkEntry);
    this.#checkOpen();
    if (checked.length === 0) return [];
    return this.#posts.add(checked);
  }

  balance(account: string): Promise<bigint> {
    return this.#read((connection) => balanceOf(connection, account));
  }

  async entries(account: string, afterSeq: number, limit: number): Promise<StoredEntry[]> {
    const most = limit > 0 ? Math.min(limit, maxEntriesLimit) : defaultEntriesLimit;
    const after = boundSeq(afterSeq);
    const found = await this.#read((connection) => entriesOf(connection, account, after, most));
    return pageOf(found);
  }

  auditRows(afterSeq: number, limit: number): Promise<AuditRow[]> {
    return this.#read((connection) => journal(connection, boundSeq(afterSeq), limit));
  }

  auditBalances(afterAccount: string, limit: number): Promise<BalancePage> {
    return this.#read((connection) => balancePage(connection, afterAccount, limit));
  }

  async track(counter: string, delta: bigint): Promise<void> {
    this.#checkOpen();
    this.#counters.add(checkCounter(counter), delta);
    this.#flushCountersSoon();
  }

  async counters(): Promise<Map<string, bigint>> {
    this.#checkOpen();
    return this.#counters.values(this.#deadline());
  }

  async flush(): Promise<void> {
    if (this.#closing !== undefined) return;
    await this.#posts.settled();
    await this.#counters.flush(this.#deadline());
  }

  async commits(): Promise<CommitStats> {
    return this.#tally.stats;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#counterTimer);
    try {
      await this.#posts.settled();
      const deadlineMs = performance.now() + Math.min(closeWithinMs, this.#connections.timeoutMs);
      await this.#counters.flush(deadlineMs);
      // What a server leaves behind another one clears away.
      await Promise.allSettled([this.#counters.forget(deadlineMs), this.#posts.forget(deadlineMs)]);
    } finally {
      await this.#connections.close();
      this.#log("info", "the ledger is closed", this.#tally.summary);
    }
  }

  /** Reads behind the posts that were made before, so that a caller finds what it posted. */
  async #read<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    this.#checkOpen();
    const deadlineMs = this.#deadline();
    await this.#posts.settled();
    return this.#connections.retried(work, deadlineMs);
  }

  async #flushCountersInBackground(): Promise<void> {
    try {
      await this.#counters.flush(this.#deadline());
    } catch (error) {
      this.#log("error", "counters could not be written; they are kept and tried again", {
        error: (error as Error).message,
      });
    }
    this.#counterTimer = undefined;
    if (this.#closing === undefined && this.#counters.hasUnwritten) this.#flushCountersSoon();
  }

  #flushCountersSoon(): void {
    this.#counterTimer ??= setTimeout(() => this.#flushCountersInBackground(), this.#flushIntervalMs);
  }

  #deadline(): number {
    return performance.now() + this.#connections.timeoutMs;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new LedgerClosedError("the ledger's store is closed");
  }
}

/** What a client can send as a seq may be more than a place can be. */
function boundSeq(seq: number): number {
  return Math.min(Math.max(0, Math.trunc(seq)), Number.MAX_SAFE_INTEGER);
}
