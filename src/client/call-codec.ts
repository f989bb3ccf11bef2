/**
 * Calls to bytes and replies to results: the generated client's own `send_…` and `recv_…` are driven over the codecs of
 * `wire`, without a generated client per connection.
 */
import { BinaryReader } from "../wire/binary-reader.ts";
import { BinaryWriter } from "../wire/binary-writer.ts";
import { CompactReader } from "../wire/compact-reader.ts";
import { CompactWriter } from "../wire/compact-writer.ts";
import { JsonReader } from "../wire/json-reader.ts";
import { JsonWriter } from "../wire/json-writer.ts";
import { MessageType, type MessageView } from "../wire/message.ts";
import { type ProtocolReader, type ProtocolWriter, Type } from "../wire/protocol.ts";
import { type ProtocolName, protocolNames } from "../wire/protocol-names.ts";
import type { ReadLimits } from "../wire/read-limits.ts";
import { ReplyForm } from "../wire/reply-form.ts";
import { messageOf } from "./errors.ts";
import type { ClientMethod, ReceiveFunction } from "./method-table.ts";

/** What a server answered. */
export type Answer =
  | { readonly kind: "result"; readonly value: unknown }
  /** An exception that the IDL declares, as the generated code made it. */
  | { readonly kind: "declared"; readonly error: unknown }
  | {
      readonly kind: "application";
      readonly type: number;
      readonly message: string;
      /** Why the reply could not be read; undefined when the server sent the exception. */
      readonly cause?: unknown;
    };

/** Thrift's numbers for what this client says itself. */
const missingResult = 5;
const protocolError = 7;

/** Bytes of a call are copied into slabs: one allocation for hundreds of calls. */
const slabBytes = 64 * 1024;
const largestInSlabBytes = 8 * 1024;

const writers: Readonly<Record<ProtocolName, () => ProtocolWriter>> = {
  binary: () => new BinaryWriter(),
  compact: () => new CompactWriter(),
  json: () => new JsonWriter(),
};

const readers: Readonly<Record<ProtocolName, (limits: ReadLimits) => ProtocolReader>> = {
  binary: (limits) => new BinaryReader(limits),
  compact: (limits) => new CompactReader(limits),
  json: (limits) => new JsonReader(limits),
};

/** The generated `send_…` sees this as its client. */
interface Sender {
  readonly output: { flush(): void };
  readonly pClass: unknown;
  readonly _reqs: Record<number, undefined>;
  seqid(): number;
}

export class CallCodec {
  readonly #writer: ProtocolWriter;
  readonly #protocol: ProtocolName;
  readonly #limits: ReadLimits;
  readonly #readers: Partial<Record<ProtocolName, ProtocolReader>> = {};
  readonly #headBytes: number;
  readonly #sender: Sender;
  readonly #receiver: { readonly _reqs: object };
  #wireName = "";
  #seqid = 0;
  #error: unknown;
  #result: unknown;
  #slab: Buffer = Buffer.alloc(0);
  #slabUsed = 0;

  /** @param headBytes room that is left before a message for its frame's length */
  constructor(protocol: ProtocolName, limits: ReadLimits, headBytes: 0 | 4) {
    const writer = writers[protocol]();
    this.#writer = writer;
    this.#protocol = protocol;
    this.#limits = limits;
    this.#headBytes = headBytes;
    const writeMessageBegin = writer.writeMessageBegin.bind(writer);
    // The name that the generated code gives is the plain one.
    writer.writeMessageBegin = (_: string, type: number, seqid: number): void =>
      writeMessageBegin(this.#wireName, type, seqid);
    function TheProtocol(): ProtocolWriter {
      return writer;
    }
    this.#sender = {
      output: { flush() {} },
      pClass: TheProtocol,
      _reqs: {},
      seqid: () => this.#seqid,
    };
    const settle = (error: unknown, result: unknown): void => {
      this.#error = error;
      this.#result = result;
    };
    // On the prototype, where the generated `delete` leaves it.
    this.#receiver = { _reqs: Object.create({ 0: settle }) as object };
  }

  /**
   * Encodes a call, with its frame's length where there is one. The bytes are the call's own.
   *
   * @throws what the generated code or the codec throws for arguments that don't fit the IDL
   */
  encode(method: ClientMethod, values: readonly unknown[], seqid: number): Buffer {
    const writer = this.#writer;
    const head = this.#headBytes;
    writer.reset(head);
    this.#wireName = method.wireName;
    this.#seqid = seqid;
    method.send.apply(this.#sender, values as unknown[]);
    const size = writer.position;
    if (head > 0) writer.buffer.writeInt32BE(size - head, 0);
    return this.#copy(writer.buffer, size);
  }

  /**
   * Decodes a reply to a call of `receive`'s method. What can't be read is an answer too: there will be no other.
   *
   * @param receive undefined for a oneway method, to which some servers reply all the same
   */
  decode(receive: ReceiveFunction | undefined, view: MessageView): Answer {
    const reader = this.#readerOf(view);
    try {
      reader.reset(view.bytes, view.bodyStart, view.end);
      if (view.type === MessageType.EXCEPTION) return readApplicationException(reader);
      if (receive === undefined) return { kind: "result", value: undefined };
      this.#error = unanswered;
      receive.call(this.#receiver, reader, view.type, 0);
    } catch (cause) {
      const message = `the reply can't be read: ${messageOf(cause)}`;
      return { kind: "application", type: protocolError, message, cause };
    }
    const error = this.#error;
    const result = this.#result;
    this.#error = undefined;
    this.#result = undefined;
    if (error === null || error === undefined) return { kind: "result", value: result };
    if (typeof error === "object") return { kind: "declared", error };
    const message = typeof error === "string" ? error : "the reply has no result";
    return { kind: "application", type: missingResult, message };
  }

  /** Over THeader a server says in which protocol it answers. */
  #readerOf({ envelope }: MessageView): ProtocolReader {
    const protocol =
      envelope === null ? this.#protocol : protocolNames[envelope.replyForm & ReplyForm.PROTOCOL_MASK]!;
    const known = this.#readers[protocol];
    if (known !== undefined) return known;
    const reader = readers[protocol](this.#limits);
    this.#readers[protocol] = reader;
    return reader;
  }

  #copy(bytes: Buffer, size: number): Buffer {
    if (size > largestInSlabBytes) return Buffer.from(bytes.subarray(0, size));
    if (this.#slabUsed + size > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    const end = start + size;
    bytes.copy(this.#slab, start, 0, size);
    this.#slabUsed = end;
    return this.#slab.subarray(start, end);
  }
}

const unanswered: unique symbol = Symbol("unanswered");

/** TApplicationException: `1: string message, 2: i32 type`. */
function readApplicationException(reader: ProtocolReader): Answer {
  let message = "";
  let type = 0;
  reader.readStructBegin();
  for (;;) {
    const { ftype, fid } = reader.readFieldBegin();
    if (ftype === Type.STOP) break;
    if (fid === 1 && ftype === Type.STRING) message = reader.readString();
    else if (fid === 2 && ftype === Type.I32) type = reader.readI32();
    else reader.skip(ftype);
    reader.readFieldEnd();
  }
  reader.readStructEnd();
  return { kind: "application", type, message };
}
