/**
 * The bytes of a connection that have been read and not been cut yet. A chunk that holds whole
 * messages is cut where it is; only an incomplete rest is copied, into a buffer that doubles, so that
 * a message costs time linear in its size however it dribbles in.
 *
 * Bytes that a message was cut from are never overwritten: calls may wait with a view of them.
 */
import type { Cutter, MessageSink } from "./message.ts";

const smallestRestBytes = 256;

export class Inbox {
  #bytes: Buffer = empty;
  #start = 0;
  #end = 0;

  /** Bytes that wait: an incomplete message, or whole ones that were not wanted yet. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** A view of the waiting bytes; valid until the next `append`. */
  peek(): { bytes: Buffer; start: number; end: number } {
    return { bytes: this.#bytes, start: this.#start, end: this.#end };
  }

  /** Takes a chunk that was read. The chunk must not change afterwards. */
  append(chunk: Buffer): void {
    if (this.length === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    this.#makeRoom(chunk.length);
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** Cuts what waits. */
  cut(cutter: Cutter, sink: MessageSink): void {
    this.#start = cutter.cut(this.#bytes, this.#start, this.#end, sink);
    if (this.#start === this.#end) this.clear();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#bytes = empty;
    this.#start = 0;
    this.#end = 0;
  }

  /** Whether the buffer is our own, so that bytes may be written behind `#end`. */
  #owned = false;

  #makeRoom(more: number): void {
    if (this.#owned && this.#bytes.length - this.#end >= more) return;
    const rest = this.length;
    const capacity = Math.max(smallestRestBytes, 2 * rest, rest + more);
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#bytes = grown;
    this.#start = 0;
    this.#end = rest;
    this.#owned = true;
  }
}

const empty: Buffer = Buffer.alloc(0);
