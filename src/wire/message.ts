/** What cutting a byte stream yields, and who takes it. */
import type { ProtocolName } from "./protocol-names.ts";

/** Message types as they stand on the wire. */
export const MessageType = { CALL: 1, REPLY: 2, EXCEPTION: 3, ONEWAY: 4 } as const;

/**
 * A whole message inside a buffer. One object is reused for all messages of a connection: take what
 * you need before you return.
 */
export interface MessageView {
  bytes: Buffer;
  /** The message without any frame length. */
  start: number;
  end: number;
  /** Where the arguments' struct begins. */
  bodyStart: number;
  /** The name's bytes. */
  nameStart: number;
  nameEnd: number;
  /** `MessageType.CALL` or `ONEWAY` where a server reads, `REPLY` or `EXCEPTION` where a client does. */
  type: number;
  seqid: number;
  /** What the transport put around the message; null on transports that put nothing there. */
  envelope: Envelope | null;
}

/** What a transport puts around a message beside its length, and what it wants around the reply. */
export interface Envelope {
  /** In which form the reply is written: bits of `ReplyForm`. */
  readonly replyForm: number;
  /**
   * Bytes of the header block, which lies right before the message: in `bytes[start - headerBytes, start)`.
   * Its form is that of `info-headers.ts`. 0 when there is none.
   */
  readonly headerBytes: number;
  /** How long the client waits from the message's arrival on, in ms; 0 when it did not say. */
  readonly timeoutMs: number;
  /** Whether the reply may overtake those of earlier calls. */
  readonly unordered: boolean;
  /**
   * What goes before a reply of `sizeBytes`. Called when it is written.
   *
   * @param leaving whether the server is about to stop
   * @param neverStarted whether the call was refused before it could have any effect
   */
  prefix(sizeBytes: number, leaving: boolean, neverStarted: boolean): Uint8Array;
}

/** Takes the messages that a cutter cuts. */
export interface MessageSink {
  /** Takes one message; false means: no more for now. */
  message(view: MessageView): boolean;
}

/** Limits that a cutter applies before anything is allocated. */
export interface WireLimits {
  /** The largest frame, without its length, in bytes. */
  readonly maxFrameSizeBytes: number;
  /** The largest unframed message, in bytes. */
  readonly maxMessageSizeBytes: number;
  readonly recursionLimit: number;
  /** Elements that all containers of one message may have together. */
  readonly maxContainerElements: number;
}

/** Cuts one connection's byte stream into messages. Keeps state between calls. */
export interface Cutter {
  /** Of the replies, where the messages have no envelope. */
  readonly protocol: ProtocolName;
  readonly framed: boolean;
  /** Transport and protocol as connections are counted by, for example "framed-binary". */
  readonly kind: string;
  /**
   * Cuts messages out of `bytes[start, end)` until they end or the sink wants no more. The next call
   * passes the same unconsumed bytes again with more behind them.
   *
   * @returns where the first byte stands that belongs to no message handed over
   * @throws {WireError} when the bytes can't be a message or break a limit
   */
  cut(bytes: Buffer, start: number, end: number, sink: MessageSink): number;
  /** How many bytes the message that `cut` left incomplete has in all; 0 when that is not known. */
  readonly wholeBytes: number;
}

/** Kinds of bytes that are no acceptable message, as they are counted and logged. */
export type WireErrorKind =
  | "unknown-protocol"
  | "bad-frame-length"
  | "frame-too-large"
  | "message-too-large"
  | "bad-header"
  | "bad-message-type"
  | "bad-type"
  | "bad-json"
  | "bad-info-headers"
  | "unsupported-protocol"
  | "unsupported-transform"
  | "bad-compression"
  | "bad-length"
  | "too-deep"
  | "too-many-elements";

/** The bytes can't be cut any further: the connection is beyond repair. */
export class WireError extends Error {
  readonly code = "SLUICE_WIRE";
  override readonly name = "WireError";
  readonly kind: WireErrorKind;

  constructor(kind: WireErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** An empty view to be filled. */
export function createMessageView(): MessageView {
  return {
    bytes: emptyBuffer,
    start: 0,
    end: 0,
    bodyStart: 0,
    nameStart: 0,
    nameEnd: 0,
    type: 0,
    seqid: 0,
    envelope: null,
  };
}

const emptyBuffer: Buffer = Buffer.alloc(0);
