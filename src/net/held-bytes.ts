/**
 * What all connections together keep in memory. Nothing is added up in the way of a call: connections say how much
 * they could not hand on at once, and when that has become much, all of them are looked at.
 */
import type { LiveConnection } from "./live-connection.ts";

/** How much may come together between two looks, as a share of the limit. */
const lookAtShare = 1 / 16;
/** What is left when connections were closed because of the limit, as a share of it: not to close one per byte. */
const leftShare = 7 / 8;

export class HeldBytes {
  readonly #maxBytes: number;
  readonly #open: ReadonlyMap<LiveConnection, unknown>;
  readonly #close: (connection: LiveConnection) => void;
  /** Were told to close, and are still among the open ones for a moment. */
  readonly #closing = new WeakSet<LiveConnection>();
  #sinceLook = 0;

  /** @param close closes one of the connections that hold most */
  constructor(
    maxBytes: number,
    open: ReadonlyMap<LiveConnection, unknown>,
    close: (connection: LiveConnection) => void,
  ) {
    this.#maxBytes = maxBytes;
    this.#open = open;
    this.#close = close;
  }

  /** So many bytes more were kept; perhaps others were let go. */
  add(bytes: number): void {
    this.#sinceLook += bytes;
    if (this.#sinceLook > this.#maxBytes * lookAtShare) this.check();
  }

  /** The sum over all connections. */
  count(): number {
    let bytes = 0;
    for (const connection of this.#open.keys()) bytes += this.#heldBy(connection);
    return bytes;
  }

  /** Closes those that hold most if all together hold too much. */
  check(): void {
    this.#sinceLook = 0;
    let bytes = this.count();
    if (bytes <= this.#maxBytes) return;
    const largestFirst = [...this.#open.keys()]
      .map((connection) => ({ connection, held: this.#heldBy(connection) }))
      .sort((a, b) => b.held - a.held);
    for (const { connection, held } of largestFirst) {
      if (bytes <= this.#maxBytes * leftShare) return;
      bytes -= held;
      this.#closing.add(connection);
      this.#close(connection);
    }
  }

  #heldBy(connection: LiveConnection): number {
    return this.#closing.has(connection) ? 0 : connection.heldBytes;
  }
}
