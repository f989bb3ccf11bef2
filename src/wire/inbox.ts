/**
 * The bytes of a connection that have been read and not been cut yet. A chunk that holds whole
 * messages is cut where it is; only an incomplete rest is copied, into a buffer that doubles, so that
 * a message costs time linear in its size however it dribbles in.
 *
 * Bytes that a message was cut from are never overwritten before `keep` says so: calls that are about to be
 * handed over have a view of them.
 */
import type { Cutter, MessageSink } from "./message.ts";

const smallestRestBytes = 256;
/** How much room is made at once for a message of which only the beginning has come. */
const trustedBytes = 128 * 1024;
/** Buffers of up to this size are used again, by whichever connection needs one next. */
const reusedBytes = 256 * 1024;
const mostReused = 8;
const reusable: Buffer[] = [];

/**
 * Whose the buffer is.
 * - `borrowed`: the reader's; valid until `keep`.
 * - `given`: nobody writes into it any more.
 * - `owned`: ours; more may be written behind the end.
 */
type Holding = "borrowed" | "given" | "owned";

export class Inbox {
  #bytes: Buffer = empty;
  #start = 0;
  #end = 0;
  #holding: Holding = "given";
  /** What the incomplete message will be in all, or 0. */
  #wholeBytes = 0;

  /** Bytes that wait: an incomplete message, or whole ones that were not wanted yet. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** What it keeps in memory for them. */
  get heldBytes(): number {
    return this.#holding === "borrowed" ? 0 : this.#bytes.length;
  }

  /** A view of the waiting bytes; valid until the next `append`. */
  peek(): { bytes: Buffer; start: number; end: number } {
    return { bytes: this.#bytes, start: this.#start, end: this.#end };
  }

  /** Takes a chunk that was read. One that is `borrowed` must stay as it is until `keep`. */
  append(chunk: Buffer, borrowed: boolean): void {
    if (this.length === 0) {
      this.#take(chunk, 0, chunk.length, borrowed ? "borrowed" : "given");
      return;
    }
    this.#makeRoom(chunk.length);
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** Cuts what waits. */
  cut(cutter: Cutter, sink: MessageSink): void {
    this.#start = cutter.cut(this.#bytes, this.#start, this.#end, sink);
    this.#wholeBytes = cutter.wholeBytes;
  }

  /**
   * To be called when the messages that were cut have been handled. Copies what is left of a borrowed chunk.
   *
   * @param handedOver whether nobody has a view of the buffer any more
   */
  keep(handedOver: boolean): void {
    if (this.length === 0) {
      if (handedOver && this.#holding === "owned") giveBack(this.#bytes);
      this.clear();
    } else if (this.#holding === "borrowed") this.#makeRoom(0);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#take(empty, 0, 0, "given");
    this.#wholeBytes = 0;
  }

  #take(bytes: Buffer, start: number, end: number, holding: Holding): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#holding = holding;
  }

  #makeRoom(more: number): void {
    if (this.#holding === "owned" && this.#bytes.length - this.#end >= more) return;
    const rest = this.length;
    // A length is only a promise: room is made ahead for no more than a doubling would give anyway.
    const ahead = Math.min(this.#wholeBytes, Math.max(2 * rest, trustedBytes));
    const capacity = Math.max(smallestRestBytes, rest + more, ahead === 0 ? 2 * rest : ahead);
    const grown = bufferOf(capacity);
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#take(grown, 0, rest, "owned");
  }
}

function bufferOf(capacity: number): Buffer {
  const last = reusable.at(-1);
  if (last !== undefined && capacity > smallestRestBytes && last.length >= capacity) return reusable.pop()!;
  return Buffer.allocUnsafeSlow(capacity);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length <= reusedBytes && buffer.length > smallestRestBytes && reusable.length < mostReused) {
    reusable.push(buffer);
  }
}

const empty: Buffer = Buffer.alloc(0);
