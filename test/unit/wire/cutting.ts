/** Messages for cutting, and what a cutter makes of them however they are split. */

import { detectCutter } from "../../../src/wire/detect.ts";
import { Inbox } from "../../../src/wire/inbox.ts";
import type { Cutter, MessageView, WireLimits } from "../../../src/wire/message.ts";
import { Type } from "../../../src/wire/protocol.ts";
import type { ProtocolName } from "../../../src/wire/protocol-names.ts";
import { createReplyWriter } from "../../../src/wire/reply-writer.ts";

export const limits: WireLimits = {
  maxFrameSizeBytes: 1 << 20,
  maxMessageSizeBytes: 1 << 20,
  recursionLimit: 64,
  maxContainerElements: 10_000,
};

/** What is on the wire: how a message begins, and whether a length comes before it. */
export type Form = "framed-strict" | "framed-old" | "framed-compact" | "strict" | "old";

export const forms: readonly Form[] = ["framed-strict", "framed-old", "framed-compact", "strict", "old"];

/** A message as a test makes it. */
export interface Made {
  readonly name: string;
  readonly seqid: number;
  readonly type: number;
  /** Writes the fields of its arguments. */
  readonly body: readonly Value[];
}

/** A value of one of the kinds that differ on the wire. */
export type Value =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly list: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly map: readonly (readonly [string, number])[] }
  | { readonly pairs: readonly (readonly [number, number])[] }
  | { readonly struct: readonly Value[] };

/** The bytes of a message. */
export function encode(made: Made, form: Form): Buffer {
  const compact = form === "framed-compact";
  const writer = createReplyWriter(compact ? "compact" : "binary");
  writer.reset(0);
  writer.writeMessageBegin(made.name, made.type, made.seqid);
  const bodyAt = writer.bodyAt;
  writeStruct(writer, made.body);
  writer.writeMessageEnd();
  const whole = Buffer.from(writer.buffer.subarray(0, writer.position));
  const message = form.endsWith("old") ? Buffer.concat([oldHeader(made), whole.subarray(bodyAt)]) : whole;
  return form.startsWith("framed") ? frame(message) : message;
}

/** Puts a length before bytes. */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

function oldHeader({ name, type, seqid }: Made): Buffer {
  const text = Buffer.from(name);
  const header = Buffer.alloc(4 + text.length + 5);
  header.writeInt32BE(text.length, 0);
  text.copy(header, 4);
  header[4 + text.length] = type;
  header.writeInt32BE(seqid, 5 + text.length);
  return header;
}

type Writer = ReturnType<typeof createReplyWriter>;

function writeStruct(writer: Writer, fields: readonly Value[]): void {
  writer.writeStructBegin("S");
  fields.forEach((value, at) => {
    writer.writeFieldBegin("f", typeOf(value), at + 1);
    writeValue(writer, value);
    writer.writeFieldEnd();
  });
  writer.writeFieldStop();
  writer.writeStructEnd();
}

function typeOf(value: Value): number {
  if ("i32" in value) return Type.I32;
  if ("i64" in value) return Type.I64;
  if ("bool" in value) return Type.BOOL;
  if ("text" in value) return Type.STRING;
  if ("map" in value || "pairs" in value) return Type.MAP;
  return "struct" in value ? Type.STRUCT : Type.LIST;
}

function writeValue(writer: Writer, value: Value): void {
  if ("i32" in value) writer.writeI32(value.i32);
  else if ("i64" in value) writer.writeI64(value.i64);
  else if ("bool" in value) writer.writeBool(value.bool);
  else if ("text" in value) writer.writeString(value.text);
  else if ("struct" in value) writeStruct(writer, value.struct);
  else if ("map" in value) {
    writer.writeMapBegin(Type.STRING, Type.I32, value.map.length);
    for (const [key, each] of value.map) {
      writer.writeString(key);
      writer.writeI32(each);
    }
    writer.writeMapEnd();
  } else if ("pairs" in value) {
    writer.writeMapBegin(Type.I16, Type.I64, value.pairs.length);
    for (const [key, each] of value.pairs) {
      writer.writeI16(key);
      writer.writeI64(each);
    }
    writer.writeMapEnd();
  } else if ("texts" in value) {
    writer.writeListBegin(Type.STRING, value.texts.length);
    for (const each of value.texts) writer.writeString(each);
    writer.writeListEnd();
  } else {
    writer.writeListBegin(Type.I32, value.list.length);
    for (const each of value.list) writer.writeI32(each);
    writer.writeListEnd();
  }
}

/** A message as a sink got it. */
export interface Cut {
  readonly name: string;
  readonly seqid: number;
  readonly type: number;
  readonly body: Buffer;
}

/** A stream of bytes as a connection takes it: each chunk is overwritten when it has been handled. */
export class Stream {
  readonly cut: Cut[] = [];
  readonly inbox: Inbox = new Inbox();
  cutter: Cutter | undefined;
  readonly #limits: WireLimits;
  /** How many messages are wanted before the sink stops. */
  wanted: number = Number.POSITIVE_INFINITY;

  constructor(given: WireLimits = limits) {
    this.#limits = given;
  }

  read(chunk: Buffer): void {
    const shared = Buffer.from(chunk);
    this.inbox.append(shared, true);
    this.work();
    this.inbox.keep(true);
    shared.fill(0xdd);
  }

  /** Cuts as many as are wanted. */
  work(): void {
    const { bytes, start, end } = this.inbox.peek();
    this.cutter ??= detectCutter(bytes, start, end, this.#limits);
    if (this.cutter === undefined || this.wanted <= 0) return;
    this.inbox.cut(this.cutter, { message: (view) => this.#take(view) });
  }

  #take({ bytes, nameStart, nameEnd, bodyStart, end, seqid, type }: MessageView): boolean {
    const name = bytes.toString("utf8", nameStart, nameEnd);
    this.cut.push({ name, seqid, type, body: Buffer.from(bytes.subarray(bodyStart, end)) });
    return --this.wanted > 0;
  }
}

/** What a message must come out as. */
export function expected(made: Made, form: Form): Cut {
  const protocol: ProtocolName = form === "framed-compact" ? "compact" : "binary";
  const writer = createReplyWriter(protocol);
  writer.reset(0);
  writeStruct(writer, made.body);
  const { name, seqid, type } = made;
  return { name, seqid, type, body: Buffer.from(writer.buffer.subarray(0, writer.position)) };
}
