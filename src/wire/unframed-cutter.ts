/** Cuts unframed messages: their end is found by walking the arguments' struct. */
import { BinaryScanner } from "./binary-scanner.ts";
import { CompactScanner } from "./compact-scanner.ts";
import type { HeaderReader } from "./header-reader.ts";
import { isJsonSpace } from "./json-header.ts";
import { JsonScanner } from "./json-scanner.ts";
import {
  type Cutter,
  createMessageView,
  type MessageSink,
  type MessageView,
  WireError,
  type WireLimits,
} from "./message.ts";
import { checkCallType, headerReaders, type TypeCheck } from "./message-header.ts";
import type { ProtocolName } from "./protocol-names.ts";
import type { Scanner } from "./scanner.ts";

const scanners: Record<ProtocolName, new (limits: WireLimits) => Scanner> = {
  binary: BinaryScanner,
  compact: CompactScanner,
  json: JsonScanner,
};

export class UnframedCutter implements Cutter {
  readonly framed = false;
  /** The length of an unframed message shows at its end only. */
  readonly wholeBytes = 0;
  readonly protocol: ProtocolName;
  readonly kind: string;
  readonly #limits: WireLimits;
  readonly #headerReader: HeaderReader;
  readonly #scanner: Scanner;
  readonly #checkType: TypeCheck;
  readonly #view: MessageView = createMessageView();
  /** Where the scan of the message stands, counted from its first byte; 0 before its header was read. */
  #scanned = 0;

  /** @param checkType `checkReplyType` where a client reads */
  constructor(protocol: ProtocolName, limits: WireLimits, checkType: TypeCheck = checkCallType) {
    this.protocol = protocol;
    this.kind = `unframed-${protocol}`;
    this.#limits = limits;
    this.#headerReader = headerReaders[protocol];
    this.#checkType = checkType;
    this.#scanner = new scanners[protocol](limits);
  }

  cut(bytes: Buffer, start: number, end: number, sink: MessageSink): number {
    const view = this.#view;
    view.bytes = bytes;
    let at = this.#begin(bytes, start, end);
    let wanted = true;
    while (wanted && at < end && this.#findEnd(view, at, end)) {
      at = view.end;
      this.#scanned = 0;
      wanted = sink.message(view);
      at = this.#begin(bytes, at, end);
    }
    return at;
  }

  /** White space may stand between JSON messages; it belongs to none of them. */
  #begin(bytes: Buffer, start: number, end: number): number {
    if (this.protocol !== "json" || this.#scanned > 0) return start;
    let at = start;
    while (at < end && isJsonSpace(bytes[at]!)) at++;
    return at;
  }

  /** Fills the view with the message at `start` if all of it is there. */
  #findEnd(view: MessageView, start: number, end: number): boolean {
    if (this.#scanned > 0) moveHeader(view, start);
    else if (!this.#readHeader(view, start, end)) return false;
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

  #readHeader(view: MessageView, start: number, end: number): boolean {
    view.start = start;
    if (!this.#headerReader(view, end)) return false;
    this.#checkType(view);
    this.#scanner.reset();
    this.#scanned = view.bodyStart - start;
    return true;
  }
}

/** The bytes of a message that was not whole may have moved. */
function moveHeader(view: MessageView, start: number): void {
  const shift = start - view.start;
  view.start = start;
  view.bodyStart += shift;
  view.nameStart += shift;
  view.nameEnd += shift;
}
