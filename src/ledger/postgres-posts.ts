/**
 * Posts on their way into PostgreSQL. All that have arrived go in one transaction; while that is under way, the next
 * ones gather. A transaction that fails because the database is away is tried again until its posts' time is over.
 */
import { type Attempt, attempt } from "./attempt.ts";
import { Book } from "./book.ts";
import type { CommitTally } from "./commit-tally.ts";
import { LedgerWriteError } from "./errors.ts";
import type { JournalHead } from "./journal.ts";
import { type Connection, isPassing, Pause, type PostgresConnections } from "./postgres-connections.ts";
import { postgresSchemaVersion } from "./postgres-schema.ts";
import { append, beginLocked, holds, lookUp } from "./postgres-tables.ts";
import type { LedgerEntry } from "./store.ts";

/** At most so many entries in one transaction, and so many characters of memos: bounds how long it takes. */
const maxGroupEntries = 2_000;
const maxGroupCharacters = 4 * 1024 * 1024;

/** One post or list of posts that waits. */
interface Request {
  /** What has to be looked up for it. */
  readonly entries: readonly LedgerEntry[];
  readonly stage: (book: Book) => unknown;
  readonly deadlineMs: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  settled: boolean;
}

/** A transaction whose COMMIT was sent: what it comes to when it was carried out. */
interface Sent {
  readonly requests: readonly Request[];
  readonly results: readonly Attempt[];
  readonly last: JournalHead;
}

export class PostgresPosts {
  readonly #connections: PostgresConnections;
  readonly #tally: CommitTally;
  #waiting: Request[] = [];
  /** The group whose transaction is under way, and its COMMIT if the answer to it is not known. */
  #group: readonly Request[] = [];
  #sent: Sent | undefined;
  #running: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #lastError: unknown;

  constructor(connections: PostgresConnections, tally: CommitTally) {
    this.#connections = connections;
    this.#tally = tally;
  }

  /**
   * Resolves when the entries are durable, with what `stage` gave.
   *
   * @throws {LedgerUnavailableError} when that takes longer than the store's `timeoutMs`
   */
  add<T>(entries: readonly LedgerEntry[], stage: (book: Book) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const deadlineMs = performance.now() + this.#connections.timeoutMs;
    this.#waiting.push({ entries, stage, deadlineMs, resolve, reject, settled: false });
    this.#last = promise;
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when all posts so far are settled, one way or the other: they settle in their order. */
  async settled(): Promise<void> {
    await this.#last.catch(() => {});
  }

  async #run(): Promise<void> {
    // Posts of the same turn go together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      this.#group = this.#nextGroup();
      this.#lastError = undefined;
      this.#watchDeadline();
      await this.#append();
      this.#group = [];
      this.#sent = undefined;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = undefined;
  }

  #nextGroup(): Request[] {
    let entries = 0;
    let characters = 0;
    let count = 0;
    for (const request of this.#waiting) {
      entries += request.entries.length;
      for (const { memo } of request.entries) characters += memo?.length ?? 0;
      if (count > 0 && (entries > maxGroupEntries || characters > maxGroupCharacters)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** Tries until every post of the group is settled. */
  async #append(): Promise<void> {
    const pause = new Pause();
    for (;;) {
      try {
        await this.#connections.once("write", (connection) => this.#transaction(connection));
      } catch (error) {
        this.#lastError = error;
        // Once COMMIT was sent, only another look tells what came of it.
        if (!isPassing(error) && this.#sent === undefined) this.#refuse(error);
      }
      if (this.#live().length === 0) return;
      await pause.wait();
    }
  }

  #live(): Request[] {
    return this.#group.filter(({ settled }) => !settled);
  }

  async #transaction(connection: Connection): Promise<void> {
    const startMs = performance.now();
    // Waits for a transaction of ours that the server may still be carrying out: what is seen then is final.
    const head = await beginLocked(connection);
    if (head.version !== postgresSchemaVersion) throw versionError(head.version);
    const sent = this.#sent;
    if (sent !== undefined && (await holds(connection, sent.last))) {
      await connection.commit();
      this.#settle(sent, startMs);
    }
    this.#sent = undefined;
    const requests = this.#live();
    if (requests.length === 0) return rollBack(connection);
    const { book, results } = await stageAll(connection, head, requests);
    if (book.staged.length > 0) await append(connection, book.staged, book.changedBalances(), book.head);
    // A caller who was told that nothing was kept must not find it later.
    if (requests.some(({ settled }) => settled)) {
      await rollBack(connection);
      return this.#transaction(connection);
    }
    if (book.staged.length > 0) this.#sent = { requests, results, last: book.head };
    await connection.commit();
    this.#settle({ requests, results, last: book.head }, startMs);
  }

  #settle({ requests, results }: Sent, startMs: number): void {
    this.#sent = undefined;
    this.#tally.add(requests.length, startMs);
    for (const [i, request] of requests.entries()) {
      const result = results[i] as Attempt;
      if (request.settled) continue;
      request.settled = true;
      if (result.ok) request.resolve(result.value as never);
      else request.reject(result.error);
    }
  }

  /** The database refuses the group for good: nothing of it was kept. */
  #refuse(cause: unknown): void {
    const error = this.#connections.refused(cause);
    for (const request of this.#live()) {
      request.settled = true;
      request.reject(error);
    }
  }

  /** One timer for all: every post has the same time, so the oldest is due first. */
  #watchDeadline(): void {
    const oldest = this.#live()[0] ?? this.#waiting[0];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (oldest === undefined) return;
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, oldest.deadlineMs - performance.now() + 1));
  }

  #expire(): void {
    const nowMs = performance.now();
    const unknown = this.#sent !== undefined;
    for (const request of this.#live()) {
      if (request.deadlineMs > nowMs) continue;
      request.settled = true;
      request.reject(this.#connections.unavailable(unknown, this.#lastError));
    }
    while (this.#waiting[0] !== undefined && this.#waiting[0].deadlineMs <= nowMs) {
      const request = this.#waiting.shift() as Request;
      request.settled = true;
      request.reject(this.#connections.unavailable(false, this.#lastError));
    }
    this.#watchDeadline();
  }
}

async function stageAll(
  connection: Connection,
  head: JournalHead,
  requests: readonly Request[],
): Promise<{ readonly book: Book; readonly results: readonly Attempt[] }> {
  const ids = new Set<string>();
  const accounts = new Set<string>();
  for (const { entries } of requests) {
    for (const { id, debit, credit } of entries) {
      ids.add(id);
      accounts.add(debit).add(credit);
    }
  }
  const known = await lookUp(connection, [...ids], [...accounts]);
  const book = new Book(
    {
      indexedEntry: (id) => known.entries.get(id),
      indexedBalance: (account) => known.balances.get(account),
    },
    head,
  );
  return { book, results: requests.map(({ stage }) => attempt(() => stage(book))) };
}

async function rollBack(connection: Connection): Promise<void> {
  await connection.rows("ROLLBACK");
}

function versionError(version: number): LedgerWriteError {
  return new LedgerWriteError(
    `another program brought the ledger to version ${version}, and this one knows ${postgresSchemaVersion}; update it`,
  );
}
