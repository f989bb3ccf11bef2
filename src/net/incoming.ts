/**
 * What a connection has read and what is cut out of it: tells protocol and transport from the first bytes, and how
 * long a message has been on its way.
 */
import { detect, detectCutter } from "../wire/detect.ts";
import { Inbox } from "../wire/inbox.ts";
import type { Cutter, MessageSink, WireLimits } from "../wire/message.ts";
import { ProtocolNumber } from "../wire/protocol-names.ts";
import { ReplyForm } from "../wire/reply-form.ts";

export class Incoming {
  readonly #limits: WireLimits;
  readonly #inbox = new Inbox();
  #cutter: Cutter | undefined;
  /** Whether what is appended comes out of a zlib stream. */
  isZlib = false;
  /** The form in which the connection is answered, where a message's own envelope says no other. */
  replyForm = 0;
  /** When the first byte of the message came that is not whole yet; 0 when there is none. */
  partialSinceMs = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  /** The protocol and transport it was told to speak, or undefined while too little was read. */
  get kind(): string | undefined {
    const kind = this.#cutter?.kind;
    if (!this.isZlib) return kind;
    return kind === undefined ? "zlib" : `zlib-${kind}`;
  }

  /** Bytes that have not been cut. */
  get length(): number {
    return this.#inbox.length;
  }

  /** Bytes of memory that are kept for them. */
  get heldBytes(): number {
    return this.#inbox.heldBytes;
  }

  /** @param shared whether the chunk is valid until `keep` only */
  append(chunk: Buffer, shared: boolean): void {
    this.#inbox.append(chunk, shared);
  }

  /** See `Inbox.keep`. */
  keep(whole: boolean): void {
    this.#inbox.keep(whole);
  }

  /**
   * Gives `sink` the messages that are whole, as many as it wants.
   *
   * @returns `zlib` when the connection begins as a zlib stream: then what is inflated of `take()` is to be appended
   * @throws {WireError} when the bytes are no message
   */
  cut(sink: MessageSink, nowMs: number): "zlib" | undefined {
    const before = this.#inbox.length;
    if (this.#cutter === undefined && this.#detect() === "zlib") {
      this.partialSinceMs ||= nowMs;
      return "zlib";
    }
    if (this.#cutter !== undefined) this.#inbox.cut(this.#cutter, sink);
    this.#notePartial(before, nowMs);
    return undefined;
  }

  /** Takes the head of a zlib stream, which is nothing to be cut. From now on it is. */
  take(): Buffer {
    const { bytes, start, end } = this.#inbox.peek();
    const head = bytes.subarray(start, end);
    this.#inbox.clear();
    this.isZlib = true;
    return head;
  }

  /** Forgets what was read. */
  clear(): void {
    this.#inbox.clear();
    this.partialSinceMs = 0;
  }

  #detect(): "zlib" | undefined {
    const { bytes, start, end } = this.#inbox.peek();
    const cutter = (this.isZlib ? detectCutter : detect)(bytes, start, end, this.#limits);
    if (cutter === "zlib") return "zlib";
    if (cutter !== undefined) {
      this.#cutter = cutter;
      this.replyForm = ProtocolNumber[cutter.protocol] | (cutter.framed ? ReplyForm.FRAMED : 0);
    }
    return undefined;
  }

  /** @param before how many bytes waited before messages were cut */
  #notePartial(before: number, nowMs: number): void {
    const { length } = this.#inbox;
    // A zlib stream that has only begun is no message either.
    if (length === 0 && this.#cutter !== undefined) this.partialSinceMs = 0;
    else if (length < before || this.partialSinceMs === 0) this.partialSinceMs = nowMs;
  }
}
