/**
 * The filling side of a ring of bytes. A piece is always contiguous; what does not fit before the
 * end is left out. The emptying side releases whole pieces in the order in which they were reserved,
 * so it is enough to remember where each piece ended.
 */
export class ByteRing {
  readonly #capacity: number;
  readonly #ends: Int32Array;
  readonly #endsMask: number;
  /** Bytes ever reserved, in 32 bits. */
  #head = 0;
  #tail = 0;
  /** Pieces ever reserved and released, in 32 bits. */
  #pieces = 0;
  #released = 0;

  /**
   * @param capacity bytes; a power of two
   * @param pieces how many pieces can be reserved at once; a power of two
   */
  constructor(capacity: number, pieces: number) {
    this.#capacity = capacity;
    this.#ends = new Int32Array(pieces);
    this.#endsMask = pieces - 1;
  }

  /** Reserves a contiguous piece. Returns its index in the ring, or -1 when there is no room. */
  reserve(length: number): number {
    const index = this.#head & (this.#capacity - 1);
    const untilEnd = this.#capacity - index;
    const skipped = untilEnd < length ? untilEnd : 0;
    const used = (this.#head - this.#tail) | 0;
    if (used + skipped + length > this.#capacity) return -1;
    this.#head = (this.#head + skipped + length) | 0;
    return skipped > 0 ? 0 : index;
  }

  /**
   * Says that a piece is complete: up to here it is released as one.
   *
   * @param before how many bytes before the last reserved one it ends, when several pieces were reserved together
   */
  commit(before = 0): void {
    this.#ends[this.#pieces & this.#endsMask] = (this.#head - before) | 0;
    this.#pieces = (this.#pieces + 1) | 0;
  }

  /** Releases the oldest pieces until `count` (in 32 bits) have been released in all. */
  releaseUntil(count: number): void {
    if (count === this.#released) return;
    this.#tail = this.#ends[(count - 1) & this.#endsMask]!;
    this.#released = count;
  }
}
