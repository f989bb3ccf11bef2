/** What THeader puts around a message, and around its reply. */
import { writeHeaderBlock } from "./info-headers.ts";
import type { Envelope } from "./message.ts";
import { type ProtocolName, ProtocolNumber } from "./protocol-names.ts";
import { ReplyForm } from "./reply-form.ts";

/** The first two bytes behind a frame's length. */
export const theaderMagic = 0x0fff;
/** Frame length, magic, flags, seqid, header size. */
export const theaderFixedBytes = 14;
/** Set when the client takes replies in any order. */
export const outOfOrderFlag = 0x01;

/** Protocols by the numbers that THeader has for them. */
export const theaderProtocols: readonly (ProtocolName | undefined)[] = ["binary", "json", "compact"];
export const zlibTransform = 1;

const protocolIds: Record<ProtocolName, number> = { binary: 0, json: 1, compact: 2 };

/** Info headers of replies, by what is to be said. */
const leavingHeaders = [
  [":drain", "true"],
  ["connection", "goaway"],
] as const;
const safeHeaders = [["sluice-retry", "safe"]] as const;
const infoBlocks: readonly Buffer[] = [
  writeHeaderBlock([]),
  writeHeaderBlock(leavingHeaders),
  writeHeaderBlock(safeHeaders),
  writeHeaderBlock([...leavingHeaders, ...safeHeaders]),
];

/** What is read of a request's header. */
export interface TheaderRequest {
  readonly protocol: ProtocolName;
  readonly compressed: boolean;
  readonly flags: number;
  readonly seqid: number;
  readonly headerBytes: number;
  readonly timeoutMs: number;
}

/** Replies get the request's protocol, transform, flags and seqid. */
export class TheaderEnvelope implements Envelope {
  readonly replyForm: number;
  readonly headerBytes: number;
  readonly timeoutMs: number;
  readonly unordered: boolean;
  readonly #protocol: ProtocolName;
  readonly #compressed: boolean;
  readonly #flags: number;
  readonly #seqid: number;

  constructor(request: TheaderRequest) {
    const { protocol, compressed, flags } = request;
    this.replyForm = ProtocolNumber[protocol] | (compressed ? ReplyForm.ZLIB : 0);
    this.headerBytes = request.headerBytes;
    this.timeoutMs = request.timeoutMs;
    this.unordered = (flags & outOfOrderFlag) !== 0;
    this.#protocol = protocol;
    this.#compressed = compressed;
    this.#flags = flags;
    this.#seqid = request.seqid;
  }

  prefix(sizeBytes: number, leaving: boolean, neverStarted: boolean): Buffer {
    return theaderPrefix({
      protocol: this.#protocol,
      compressed: this.#compressed,
      flags: this.#flags,
      seqid: this.#seqid,
      info: infoBlocks[(leaving ? 1 : 0) + (neverStarted ? 2 : 0)]!,
      sizeBytes,
    });
  }
}

/** What is written before a message. */
export interface TheaderFrame {
  readonly protocol: ProtocolName;
  readonly compressed: boolean;
  readonly flags: number;
  readonly seqid: number;
  /** The header block, as `writeHeaderBlock` makes it. */
  readonly info: Buffer;
  /** Of the message, as it is sent. */
  readonly sizeBytes: number;
}

/** Frame length and header of a call or a reply. */
export function theaderPrefix({ protocol, compressed, flags, seqid, info, sizeBytes }: TheaderFrame): Buffer {
  // Protocol and transforms; each number is below 128, so each varint is one byte.
  const ids = compressed ? [protocolIds[protocol], 1, zlibTransform] : [protocolIds[protocol], 0];
  const headerBytes = Math.ceil((ids.length + info.length) / 4) * 4;
  const prefix = Buffer.alloc(theaderFixedBytes + headerBytes);
  prefix.writeInt32BE(theaderFixedBytes - 4 + headerBytes + sizeBytes, 0);
  prefix.writeUInt16BE(theaderMagic, 4);
  prefix.writeUInt16BE(flags, 6);
  prefix.writeInt32BE(seqid, 8);
  prefix.writeUInt16BE(headerBytes / 4, 12);
  prefix.set(ids, theaderFixedBytes);
  prefix.set(info, theaderFixedBytes + ids.length);
  return prefix;
}
