/** Cuts unframed binary messages: their end is found by walking the arguments' struct. */
import { BinaryScanner } from "./binary-scanner.ts";
import {
  type Cutter,
  createMessageView,
  type MessageSink,
  type MessageView,
  WireError,
  type WireLimits,
} from "./message.ts";
import { checkCallType, readBinaryHeader } from "./message-header.ts";

export class UnframedBinaryCutter implements Cutter {
  readonly framed = false;
  readonly protocol = "binary";
  /** The length of an unframed message shows at its end only. */
  readonly wholeBytes = 0;
  readonly #limits: WireLimits;
  readonly #scanner: BinaryScanner;
  readonly #view: MessageView = createMessageView();
  /** Where the scan of the message stands, counted from its first byte; 0 before its header was read. */
  #scanned = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
    this.#scanner = new BinaryScanner(limits);
  }

  cut(bytes: Buffer, start: number, end: number, sink: MessageSink): number {
    const view = this.#view;
    view.bytes = bytes;
    let at = start;
    let wanted = true;
    while (wanted && at < end && this.#findEnd(view, at, end)) {
      at = view.end;
      this.#scanned = 0;
      wanted = sink.message(view);
    }
    return at;
  }

  /** Fills the view with the message at `start` if all of it is there. */
  #findEnd(view: MessageView, start: number, end: number): boolean {
    view.start = start;
    // The header is read again for each piece of a message: it is short, and its bytes may have moved.
    if (!readBinaryHeader(view, end)) return false;
    if (this.#scanned === 0) {
      checkCallType(view);
      this.#scanner.reset();
      this.#scanned = view.bodyStart - start;
    }
    this.#scanned = this.#scanner.scan(view.bytes, start + this.#scanned, end) - start;
    if (this.#scanned > this.#limits.maxMessageSizeBytes) {
      throw new WireError(
        "message-too-large",
        `a message of at least ${this.#scanned} bytes; maxMessageSize is ${this.#limits.maxMessageSizeBytes}`,
      );
    }
    if (!this.#scanner.done || start + this.#scanned > end) return false;
    view.end = start + this.#scanned;
    return true;
  }
}
