/**
 * Posts on their way into PostgreSQL. All that have arrived go in one transaction, which is one message; while that is
 * under way, the next ones gather. One that fails because the database is away is sent again until its posts' time is
 * over.
 */
import { randomUUID } from "node:crypto";
import type { Attempt } from "./attempt.ts";
import type { CommitTally } from "./commit-tally.ts";
import { LedgerWriteError } from "./errors.ts";
import { appendGroup, type Lists, type Places, resultsOf } from "./postgres-append.ts";
import { type Connection, Pause, type PostgresConnections } from "./postgres-connections.ts";
import { isPassing, isRolledBack } from "./postgres-errors.ts";
import { postgresSchemaVersion } from "./postgres-schema.ts";
import { forgetAppends } from "./postgres-tables.ts";
import type { LedgerEntry, LedgerReceipt } from "./store.ts";

/** At most so many entries in one transaction, and so many characters of memos: bounds how long it takes. */
const maxGroupEntries = 2_000;
const maxGroupCharacters = 4 * 1024 * 1024;

/** Of a post's time that is left, so much is the database's: then it breaks off, and is known to have kept nothing. */
const databaseShare = 0.8;
/** But at least so much of the whole time, for the sake of those that have more left. */
const leastDatabaseShare = 0.1;

/** One list of entries that waits: all are kept or none. */
interface Request {
  readonly entries: readonly LedgerEntry[];
  readonly deadlineMs: number;
  readonly resolve: (receipts: LedgerReceipt[]) => void;
  readonly reject: (error: unknown) => void;
  settled: boolean;
}

/** The requests that are under way together. */
interface Group {
  readonly requests: readonly Request[];
  /** What came of the last message: unknown from when it is sent until it is learned. */
  outcome: "known" | "unknown";
  /** Where messages of the group were carried out whose answers were lost. */
  readonly own: Places[];
}

export class PostgresPosts {
  readonly #connections: PostgresConnections;
  readonly #tally: CommitTally;
  /** Its groups are numbered: of one whose answer was lost the database knows whether it was carried out. */
  readonly #replica = randomUUID();
  #number = 0;
  #waiting: Request[] = [];
  #group: Group | undefined;
  #running: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #lastError: unknown;

  constructor(connections: PostgresConnections, tally: CommitTally) {
    this.#connections = connections;
    this.#tally = tally;
  }

  /**
   * Resolves when the entries are durable.
   *
   * @throws {InvalidEntryError} when one of them is refused
   * @throws {LedgerUnavailableError} when that takes longer than the store's `timeoutMs`
   */
  add(entries: readonly LedgerEntry[]): Promise<LedgerReceipt[]> {
    const { promise, resolve, reject } = Promise.withResolvers<LedgerReceipt[]>();
    const deadlineMs = performance.now() + this.#connections.timeoutMs;
    this.#waiting.push({ entries, deadlineMs, resolve, reject, settled: false });
    this.#last = promise;
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when all posts so far are settled, one way or the other: they settle in their order. */
  async settled(): Promise<void> {
    await this.#last.catch(() => {});
  }

  /** After the last post. */
  async forget(deadlineMs: number): Promise<void> {
    if (this.#number === 0) return;
    await this.#connections.retried((connection) => forgetAppends(connection, this.#replica), deadlineMs);
  }

  async #run(): Promise<void> {
    // Posts of the same turn go together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const group: Group = { requests: this.#nextRequests(), outcome: "known", own: [] };
      this.#group = group;
      this.#number++;
      this.#lastError = undefined;
      this.#watchDeadline();
      await this.#append(group);
      this.#group = undefined;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = undefined;
  }

  #nextRequests(): Request[] {
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
  async #append(group: Group): Promise<void> {
    const pause = new Pause();
    for (;;) {
      try {
        await this.#connections.once("write", (connection) => this.#send(connection, group));
      } catch (error) {
        this.#lastError = error;
        if (!isPassing(error) && group.outcome === "known") this.#refuse(group, error);
      }
      if (live(group).length === 0) return;
      await pause.wait();
    }
  }

  async #send(connection: Connection, group: Group): Promise<void> {
    const startMs = performance.now();
    // A caller who was told that nothing was kept must not find it later: those whose time is over are not sent.
    if (group.outcome === "known") this.#giveUpLate(group, startMs);
    const requests = live(group);
    if (requests.length === 0) return;
    const lists = requests.map(({ entries }) => entries);
    const answer = await this.#appendGroup(connection, group, lists, this.#withinMs(requests, startMs));
    if (answer.state === "version") throw versionError(answer.version);
    if (answer.state === "carried out") {
      // Its answer was lost. What it kept is known now; what it refused is asked again, for nothing tells why.
      group.own.push(answer);
      this.#number++;
      return this.#send(connection, group);
    }
    this.#tally.add(requests.length, startMs);
    settle(requests, resultsOf(answer, lists, group.own));
  }

  /**
   * Nothing was kept of a post that the database has broken off. With too little time left for another try it is not sent
   * again: else its time would be over while the message is under way, and nobody could say what became of it.
   */
  #giveUpLate(group: Group, nowMs: number): void {
    if (this.#lastError === undefined) return;
    const shortestMs = this.#connections.timeoutMs * leastDatabaseShare;
    for (const request of live(group)) {
      if ((request.deadlineMs - nowMs) * databaseShare >= shortestMs) continue;
      request.settled = true;
      request.reject(this.#connections.unavailable(false, this.#lastError));
    }
  }

  async #appendGroup(
    connection: Connection,
    group: Group,
    lists: Lists,
    withinMs: number,
  ): ReturnType<typeof appendGroup> {
    const before = group.outcome;
    group.outcome = "unknown";
    try {
      const sender = { replica: this.#replica, number: this.#number, withinMs };
      const answer = await appendGroup(connection, sender, lists);
      group.outcome = "known";
      return answer;
    } catch (error) {
      // It says nothing of an earlier message whose answer was lost.
      if (isRolledBack(error)) group.outcome = before;
      throw error;
    }
  }

  /** How long the database may work on the requests, of which the first is the oldest, in ms. */
  #withinMs([oldest]: readonly Request[], nowMs: number): number {
    const leftMs = (oldest?.deadlineMs ?? nowMs) - nowMs;
    return Math.max(leftMs * databaseShare, this.#connections.timeoutMs * leastDatabaseShare);
  }

  /** The database refuses the group for good: nothing of it was kept. */
  #refuse(group: Group, cause: unknown): void {
    const error = this.#connections.refused(cause);
    for (const request of live(group)) {
      request.settled = true;
      request.reject(error);
    }
  }

  /** One timer for all: every post has the same time, so the oldest is due first. */
  #watchDeadline(): void {
    const oldest = live(this.#group)[0] ?? this.#waiting[0];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (oldest === undefined) return;
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, oldest.deadlineMs - performance.now() + 1));
  }

  #expire(): void {
    const nowMs = performance.now();
    const unknown = this.#group?.outcome === "unknown";
    for (const request of live(this.#group)) {
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

function live(group: Group | undefined): Request[] {
  return group?.requests.filter(({ settled }) => !settled) ?? [];
}

function settle(requests: readonly Request[], results: readonly Attempt<LedgerReceipt[]>[]): void {
  for (const [i, request] of requests.entries()) {
    const result = results[i];
    if (request.settled || result === undefined) continue;
    request.settled = true;
    if (result.ok) request.resolve(result.value);
    else request.reject(result.error);
  }
}

function versionError(version: number): LedgerWriteError {
  return new LedgerWriteError(
    `another program brought the ledger to version ${version}, and this one knows ${postgresSchemaVersion}; update it`,
  );
}
