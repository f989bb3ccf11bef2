/** Messages of every protocol and transport, and what a cutter makes of them. */
import { deflateSync } from "node:zlib";
import { detectCutter } from "../../../src/wire/detect.ts";
import { Inbox } from "../../../src/wire/inbox.ts";
import { readHeaderBlock, writeHeaderBlock } from "../../../src/wire/info-headers.ts";
import type { Cutter, Envelope, MessageView, WireLimits } from "../../../src/wire/message.ts";
import { MessageType, type ProtocolWriter, Type } from "../../../src/wire/protocol.ts";
import type { ProtocolName } from "../../../src/wire/protocol-names.ts";
import { createReplyWriter } from "../../../src/wire/reply-writer.ts";

export const limits: WireLimits = {
  maxFrameSizeBytes: 16_384_000,
  maxMessageSizeBytes: 64 * 1024 * 1024,
  recursionLimit: 64,
  maxContainerElements: 1_000_000,
};

export const protocols: readonly ProtocolName[] = ["binary", "compact", "json"];

/** Writes the arguments' struct of a message. */
export type WriteBody = (output: ProtocolWriter) => void;

/** A call's bytes, without a frame. */
export function call(protocol: ProtocolName, name: string, seqid: number, write: WriteBody): Buffer {
  const writer = createReplyWriter(protocol);
  writer.reset(0);
  writer.writeMessageBegin(name, MessageType.CALL, seqid);
  writer.writeStructBegin("args");
  write(writer);
  writer.writeFieldStop();
  writer.writeStructEnd();
  writer.writeMessageEnd();
  return Buffer.from(writer.buffer.subarray(0, writer.position));
}

function field(output: ProtocolWriter, type: number, id: number, write: () => void): void {
  output.writeFieldBegin("field", type, id);
  write();
  output.writeFieldEnd();
}

/** One of everything that a scanner has to know. */
export const everything: WriteBody = (output) => {
  field(output, Type.BOOL, 1, () => output.writeBool(true));
  field(output, Type.BYTE, 2, () => output.writeByte(-3));
  field(output, Type.I16, 300, () => output.writeI16(-30_000));
  field(output, Type.I32, 301, () => output.writeI32(2_000_000_000));
  field(output, Type.I64, 302, () => output.writeI64(-(2n ** 63n)));
  field(output, Type.DOUBLE, 303, () => output.writeDouble(Number.NaN));
  field(output, Type.STRING, 304, () => output.writeString('a"\\[{]},:ü𝄞\n'));
  field(output, Type.STRING, 305, () => output.writeBinary(Buffer.alloc(300, 0x5d)));
  field(output, Type.UUID, 306, () => output.writeUuid("00112233-4455-6677-8899-aabbccddeeff"));
  field(output, Type.LIST, 307, () => {
    output.writeListBegin(Type.I32, 20);
    for (let item = 0; item < 20; item++) output.writeI32(item * 1_000_003);
    output.writeListEnd();
  });
  field(output, Type.SET, 308, () => {
    output.writeSetBegin(Type.BOOL, 3);
    for (const item of [true, false, true]) output.writeBool(item);
    output.writeSetEnd();
  });
  field(output, Type.MAP, 309, () => {
    output.writeMapBegin(Type.STRING, Type.LIST, 2);
    for (const key of ["k]", "l"]) {
      output.writeString(key);
      output.writeListBegin(Type.STRUCT, 2);
      for (const inner of [1, 2]) {
        output.writeStructBegin("inner");
        field(output, Type.I64, inner, () => output.writeI64(inner));
        output.writeFieldStop();
        output.writeStructEnd();
      }
      output.writeListEnd();
    }
    output.writeMapEnd();
  });
  field(output, Type.MAP, 310, () => {
    output.writeMapBegin(Type.I16, Type.DOUBLE, 0);
    output.writeMapEnd();
  });
  field(output, Type.MAP, 311, () => {
    output.writeMapBegin(Type.BYTE, Type.BOOL, 2);
    for (const key of [1, 2]) {
      output.writeByte(key);
      output.writeBool(key === 1);
    }
    output.writeMapEnd();
  });
};

/** Puts a frame's length before a message. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

export interface TheaderParts {
  readonly protocolId: number;
  readonly flags?: number;
  readonly seqid?: number;
  readonly transforms?: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** A header block instead of `headers`. */
  readonly block?: Buffer;
}

/** Puts a THeader before a message, laid out by hand. */
export function theader(message: Buffer, parts: TheaderParts): Buffer {
  const { protocolId, flags = 0, seqid = 0, transforms = [], headers = {} } = parts;
  const block = parts.block ?? writeHeaderBlock(Object.entries(headers));
  const ids = Buffer.from([protocolId, transforms.length, ...transforms]);
  const unpadded = Buffer.concat([ids, block]);
  const header = Buffer.concat([unpadded, Buffer.alloc((4 - (unpadded.length % 4)) % 4)]);
  const payload = transforms.reduce((bytes: Buffer) => deflateSync(bytes), message);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(0x0fff, 0);
  fixed.writeUInt16BE(flags, 2);
  fixed.writeInt32BE(seqid, 4);
  fixed.writeUInt16BE(header.length / 4, 8);
  return framed(Buffer.concat([fixed, header, payload]));
}

/** A message as a sink took it. */
export interface Taken {
  readonly name: string;
  readonly type: number;
  readonly seqid: number;
  /** The message, and its arguments alone. */
  readonly message: string;
  readonly body: string;
  readonly headers: Record<string, string>;
  readonly envelope: Envelope | null;
}

/** A connection's reading half. */
export class Feed {
  readonly taken: Taken[] = [];
  cutter: Cutter | undefined;
  readonly #inbox = new Inbox();
  readonly #limits: WireLimits;

  constructor(within: WireLimits = limits) {
    this.#limits = within;
  }

  /** Bytes that wait for more. */
  get waiting(): number {
    return this.#inbox.length;
  }

  feed(...chunks: Buffer[]): this {
    for (const chunk of chunks) {
      this.#inbox.append(chunk, false);
      const { bytes, start, end } = this.#inbox.peek();
      this.cutter ??= detectCutter(bytes, start, end, this.#limits);
      if (this.cutter !== undefined) this.#inbox.cut(this.cutter, this);
      this.#inbox.keep(true);
    }
    return this;
  }

  message(view: MessageView): boolean {
    const { bytes, start, end, bodyStart, nameStart, nameEnd, type, seqid, envelope } = view;
    this.taken.push({
      name: bytes.toString("utf8", nameStart, nameEnd),
      type,
      seqid,
      message: bytes.toString("latin1", start, end),
      body: bytes.toString("latin1", bodyStart, end),
      headers: readHeaderBlock(bytes.subarray(start - (envelope?.headerBytes ?? 0), start)),
      envelope,
    });
    return true;
  }
}

/** The bytes in pieces of so many. */
export function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
