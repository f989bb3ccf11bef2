/** Counters that several replicas add to: each adds what it has gathered, now and then, in one statement. */
import { randomUUID } from "node:crypto";
import { clampI64 } from "./i64.ts";
import type { PostgresConnections } from "./postgres-connections.ts";
import { addToCounters, forgetFlushes, storedCounters } from "./postgres-tables.ts";

interface Flush {
  readonly flush: number;
  readonly deltas: Map<string, bigint>;
}

export class PostgresCounters {
  readonly #connections: PostgresConnections;
  /** Its flushes are numbered: one whose answer was lost is sent again, and the database knows it. */
  readonly #replica = randomUUID();
  #flushes = 0;
  #gathered = new Map<string, bigint>();
  /** The flush that is under way, or whose answer was lost. */
  #sent: Flush | undefined;
  /** Flushes and reads take turns: a read in the middle of a flush could count it twice or not at all. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connections: PostgresConnections) {
    this.#connections = connections;
  }

  get hasUnwritten(): boolean {
    return this.#gathered.size > 0 || this.#sent !== undefined;
  }

  add(name: string, delta: bigint): void {
    this.#gathered.set(name, (this.#gathered.get(name) ?? 0n) + delta);
  }

  /** All values, what was gathered here included; what other replicas gather is not yet known. */
  values(deadlineMs: number): Promise<Map<string, bigint>> {
    return this.#inTurn(async () => {
      await this.#flush(deadlineMs);
      const values = await this.#connections.retried(storedCounters, deadlineMs);
      for (const [name, delta] of this.#gathered) {
        values.set(name, clampI64((values.get(name) ?? 0n) + delta));
      }
      return values;
    });
  }

  /** Makes durable all that was added before. @throws {LedgerUnavailableError} and keeps it for the next flush */
  flush(deadlineMs: number): Promise<void> {
    return this.#inTurn(() => this.#flush(deadlineMs));
  }

  /** After the last flush. */
  async forget(deadlineMs: number): Promise<void> {
    if (this.#flushes === 0) return;
    await this.#connections.retried((connection) => forgetFlushes(connection, this.#replica), deadlineMs);
  }

  async #flush(deadlineMs: number): Promise<void> {
    // The lost one first, and then what was gathered since.
    if (this.#sent !== undefined) await this.#send(this.#sent, deadlineMs);
    if (this.#gathered.size === 0) return;
    this.#sent = { flush: ++this.#flushes, deltas: this.#gathered };
    this.#gathered = new Map();
    await this.#send(this.#sent, deadlineMs);
  }

  async #send({ flush, deltas }: Flush, deadlineMs: number): Promise<void> {
    await this.#connections.retried(
      (connection) => addToCounters(connection, this.#replica, flush, [...deltas]),
      deadlineMs,
    );
    this.#sent = undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
