/**
 * Cuts THeader's frames:
 *
 * ```
 * length 4 · 0x0fff 2 · flags 2 · seqid 4 · header size in words 2
 * header   protocol · count of transforms · transforms · header block · padding
 * payload  the message, transformed
 * ```
 * A call's header block lies right before its message in the frame already, so it needs no copy unless the
 * message was compressed.
 */
import { checkFrameLength } from "./framed-cutter.ts";
import { InfoKind, readHeaderBlock, visitHeaders, writeHeaderBlock } from "./info-headers.ts";
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
import { isReservedHeader, longestReservedName } from "./reserved-headers.ts";
import {
  TheaderEnvelope,
  theaderFixedBytes,
  theaderMagic,
  theaderProtocols,
  zlibTransform,
} from "./theader-envelope.ts";
import { readVarint, varint } from "./varint.ts";
import { inflateMessage } from "./zlib-transform.ts";

/** The header in which a client says how many ms it waits. */
const timeoutKey: Buffer = Buffer.from("client_timeout");
/** Longer is as good as for ever; times are compared in 32 bits. */
const longestTimeoutMs = 1 << 30;
const mostTransforms = 4;
/** What persistent headers of a connection may take together. */
const mostPersistentBytes = 64 * 1024;

export class TheaderCutter implements Cutter {
  readonly framed = false;
  readonly protocol = "binary";
  readonly kind = "theader";
  wholeBytes = 0;
  readonly #maxFrameSizeBytes: number;
  readonly #checkType: TypeCheck;
  readonly #view: MessageView = createMessageView();
  /** Headers that count for every call. */
  readonly #persistent = new Map<string, string>();
  // Of the frame that is being read.
  #protocol: ProtocolName = "binary";
  #inflations = 0;
  #timeoutMs = 0;
  #headers = 0;
  #persists = false;
  #reserved = false;

  /** @param checkType `checkReplyType` where a client reads */
  constructor(limits: WireLimits, checkType: TypeCheck = checkCallType) {
    this.#maxFrameSizeBytes = limits.maxFrameSizeBytes;
    this.#checkType = checkType;
  }

  cut(bytes: Buffer, start: number, end: number, sink: MessageSink): number {
    let at = start;
    let wanted = true;
    this.wholeBytes = 0;
    while (wanted && end - at >= 4) {
      const length = bytes.readInt32BE(at);
      checkFrameLength(length, this.#maxFrameSizeBytes);
      const frameEnd = at + 4 + length;
      if (frameEnd > end) {
        this.wholeBytes = 4 + length;
        break;
      }
      this.#readFrame(bytes, at, frameEnd);
      at = frameEnd;
      wanted = sink.message(this.#view);
    }
    return at;
  }

  /** Fills the view with the message of a whole frame. */
  #readFrame(bytes: Buffer, start: number, end: number): void {
    if (end - start < theaderFixedBytes || bytes.readUInt16BE(start + 4) !== theaderMagic) {
      throw new WireError(
        "bad-header",
        "a frame without the magic number of THeader among frames that have it",
      );
    }
    const payloadStart = start + theaderFixedBytes + 4 * bytes.readUInt16BE(start + 12);
    if (payloadStart > end) throw new WireError("bad-header", "a THeader that is longer than its frame");
    const blockStart = this.#readIds(bytes, start + theaderFixedBytes, payloadStart);
    this.#readHeaders(bytes, blockStart, payloadStart);
    const headerBytes = this.#place(bytes, blockStart, payloadStart, end);
    const view = this.#view;
    if (!headerReaders[this.#protocol](view, view.end)) {
      throw new WireError("bad-header", "a frame ends inside its message's header");
    }
    this.#checkType(view);
    view.envelope = new TheaderEnvelope({
      protocol: this.#protocol,
      compressed: this.#inflations > 0,
      flags: bytes.readUInt16BE(start + 6),
      seqid: bytes.readInt32BE(start + 8),
      headerBytes,
      timeoutMs: this.#timeoutMs,
    });
  }

  /** Reads protocol and transforms. Returns where the header block begins. */
  #readIds(bytes: Buffer, start: number, end: number): number {
    let at = number(bytes, start, end);
    const protocol = theaderProtocols[varint];
    if (protocol === undefined) {
      throw new WireError("unsupported-protocol", `a THeader with protocol ${varint}; 0, 1 and 2 are known`);
    }
    this.#protocol = protocol;
    at = number(bytes, at, end);
    this.#inflations = varint;
    if (varint < 0 || varint > mostTransforms) {
      throw new WireError("unsupported-transform", `a THeader with ${varint} transforms`);
    }
    for (let left = this.#inflations; left > 0; left--) {
      at = number(bytes, at, end);
      if (varint !== zlibTransform) {
        throw new WireError("unsupported-transform", `a THeader with transform ${varint}; 1 (zlib) is known`);
      }
    }
    return at;
  }

  #readHeaders(bytes: Buffer, start: number, end: number): void {
    this.#timeoutMs = 0;
    this.#headers = 0;
    this.#persists = false;
    this.#reserved = false;
    visitHeaders(bytes, start, end, (kind, keyStart, keyEnd, valueStart, valueEnd) => {
      this.#headers++;
      if (kind === InfoKind.PERSISTENT) this.#persists = true;
      if (
        keyEnd - keyStart <= longestReservedName &&
        isReservedHeader(bytes.toString("latin1", keyStart, keyEnd))
      ) {
        this.#reserved = true;
      }
      const isTimeout =
        keyEnd - keyStart === timeoutKey.length && timeoutKey.compare(bytes, keyStart, keyEnd) === 0;
      if (isTimeout) this.#timeoutMs = milliseconds(bytes.toString("latin1", valueStart, valueEnd));
    });
  }

  /**
   * Points the view to the message, with the header block before it. Returns the block's size.
   */
  #place(bytes: Buffer, blockStart: number, payloadStart: number, end: number): number {
    const view = this.#view;
    const ownBytes = this.#headers === 0 ? 0 : payloadStart - blockStart;
    const merged = this.#persists || this.#reserved || this.#persistent.size > 0;
    if (this.#inflations === 0 && !merged) {
      view.bytes = bytes;
      view.start = payloadStart;
      view.end = end;
      return ownBytes;
    }
    let payload = bytes.subarray(payloadStart, end);
    for (let left = this.#inflations; left > 0; left--) {
      payload = inflateMessage(payload, this.#maxFrameSizeBytes);
    }
    const own = bytes.subarray(payloadStart - ownBytes, payloadStart);
    const block = merged ? this.#merge(own) : own;
    view.bytes = block.length === 0 ? payload : Buffer.concat([block, payload]);
    view.start = block.length;
    view.end = view.bytes.length;
    return block.length;
  }

  /**
   * A block of the persistent headers, those of this frame among them, and of its own, which count more; without
   * those that clients can't send.
   */
  #merge(block: Buffer): Buffer {
    if (this.#persists) {
      visitHeaders(block, 0, block.length, (kind, keyStart, keyEnd, valueStart, valueEnd) => {
        if (kind !== InfoKind.PERSISTENT) return;
        this.#persistent.set(
          block.toString("utf8", keyStart, keyEnd),
          block.toString("utf8", valueStart, valueEnd),
        );
      });
      if (writeHeaderBlock(this.#persistent).length > mostPersistentBytes) {
        throw new WireError(
          "bad-info-headers",
          `the persistent info headers of a connection take more than ${mostPersistentBytes} bytes`,
        );
      }
    }
    const headers = new Map([...this.#persistent, ...Object.entries(readHeaderBlock(block))]);
    return writeHeaderBlock([...headers].filter(([key]) => !isReservedHeader(key)));
  }
}

function number(bytes: Buffer, at: number, end: number): number {
  const next = readVarint(bytes, at, end);
  if (next < 0) throw new WireError("bad-header", "a THeader ends inside a number");
  return next;
}

/** A number of ms, 0 for what is none. */
function milliseconds(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return value > longestTimeoutMs ? 0 : value;
}
