/** The calls of a connection by seqid. */
import type { ClientCall } from "./call.ts";

/** After so many removals, or as many as there are calls, if that is more, the map is made anew. */
const renewAfter = 2_000;

/**
 * A map that entries pass through all the time. V8's own, when it has given its deleted entries' room back, leaves its
 * old table with a link to the new one, for iterators. Once such a table has become old to the garbage collector, all
 * that follow it, with the calls in them, stay in memory until the next full collection. A new map is linked to by none.
 */
export class PendingCalls {
  #calls = new Map<number, ClientCall>();
  #removed = 0;

  get size(): number {
    return this.#calls.size;
  }

  get(seqid: number): ClientCall | undefined {
    return this.#calls.get(seqid);
  }

  add(call: ClientCall): void {
    this.#calls.set(call.seqid, call);
  }

  /** Whether it was there. */
  remove(seqid: number): boolean {
    if (!this.#calls.delete(seqid)) return false;
    if (++this.#removed >= renewAfter && this.#removed >= this.#calls.size) {
      this.#removed = 0;
      this.#calls = new Map(this.#calls);
    }
    return true;
  }

  /** Oldest first. */
  all(): ClientCall[] {
    return [...this.#calls.values()];
  }

  clear(): void {
    this.#calls = new Map();
  }
}
