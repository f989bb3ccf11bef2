/**
 * Bytes that come in pieces, as one. A list of the pieces would do, but a peer may choose how small they are: then the
 * list takes a hundred times what is in it.
 */

const smallestBytes = 1024;
/** How much room is made at once because a length was announced: that is only a promise. */
const trustedBytes = 128 * 1024;
const nothing: Buffer = Buffer.alloc(0);

export class GrowingBuffer {
  #bytes = nothing;
  /** How many have come. */
  length = 0;

  /** What it takes in memory. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** Takes a piece. @param announced how many bytes will come in all, or 0 */
  append(piece: Buffer, announced: number): void {
    const length = this.length + piece.length;
    // What comes in one piece is kept as it is.
    if (this.length === 0 && length >= announced) this.#bytes = piece;
    else if (length > this.#bytes.length || this.length === 0) this.#grow(length, announced);
    if (this.#bytes !== piece) piece.copy(this.#bytes, this.length);
    this.length = length;
  }

  /** All that has come, and forgets it. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#bytes = nothing;
    this.length = 0;
  }

  #grow(least: number, announced: number): void {
    const doubled = Math.max(smallestBytes, 2 * least);
    const capacity = announced >= least ? Math.min(announced, Math.max(doubled, trustedBytes)) : doubled;
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}
