/** Valid calls of every protocol and transport, made from random values: what the fuzzer mutates. */

import { MessageType, type ProtocolWriter, Type } from "../../src/wire/protocol.ts";
import type { ProtocolName } from "../../src/wire/protocol-names.ts";
import { createReplyWriter } from "../../src/wire/reply-writer.ts";
import type { Random } from "../oracle/random.ts";
import { framed, theader } from "../unit/wire/cutter-support.ts";

/** How messages are laid out on a connection. */
export const transports = ["framed", "unframed", "theader", "theader-zlib"] as const;
export type Transport = (typeof transports)[number];

export interface Form {
  readonly protocol: ProtocolName;
  readonly transport: Transport;
  /** Binary messages without a version, as old clients write them. */
  readonly old: boolean;
}

/** A valid call in its form. */
export interface ValidCall {
  readonly bytes: Buffer;
  readonly name: string;
  readonly seqid: number;
  /** Whether it is answered, when it comes as it is. */
  readonly answered: boolean;
}

/** Methods of the service `Echo` with what a call of them has for arguments. */
const methods: readonly { readonly name: string; readonly write: (w: ProtocolWriter, r: Random) => void }[] =
  [
    { name: "kinds", write: (w, r) => field(w, Type.STRUCT, 1, () => struct(w, r, 3)) },
    { name: "kinds", write: (w, r) => field(w, Type.STRUCT, 1, () => struct(w, r, 5)) },
    { name: "keys", write: (w, r) => field(w, Type.MAP, 1, () => map(w, r, 0, Type.I64, Type.I64)) },
    { name: "header", write: (w, r) => field(w, Type.STRING, 1, () => w.writeString(text(r))) },
    { name: "deadline", write: () => {} },
    { name: "sleep", write: (w, r) => field(w, Type.I32, 1, () => w.writeI32(r.int(-9, 9))) },
    { name: "blob", write: (w, r) => field(w, Type.I32, 1, () => w.writeI32(r.int(-5, 300))) },
    { name: "refuse", write: (w, r) => field(w, Type.STRING, 1, () => w.writeString(text(r))) },
    { name: "nothing", write: (w, r) => struct(w, r, 2, false) },
    { name: "note", write: (w, r) => field(w, Type.STRING, 1, () => w.writeString(text(r))) },
    { name: "noted", write: () => {} },
    { name: "Echo:nothing", write: () => {} },
    { name: "nobody", write: (w, r) => struct(w, r, 2, false) },
    { name: "None:nothing", write: () => {} },
  ];

/** Compression costs more time than all the rest, and hides most mutations. */
const weighted: readonly Transport[] = [
  "framed",
  "framed",
  "framed",
  "unframed",
  "unframed",
  "unframed",
  "theader",
  "theader",
  "theader-zlib",
];

/** A random form. */
export function anyForm(random: Random): Form {
  const protocol = random.pick(["binary", "compact", "json"] as const);
  const transport = random.pick(weighted);
  return { protocol, transport, old: protocol === "binary" && random.chance(0.2) };
}

/** A random call in a form. */
export function anyCall(random: Random, form: Form): ValidCall {
  const method = random.pick(methods);
  const seqid = random.chance(0.2) ? random.pick([0, -1, 2 ** 31 - 1, -(2 ** 31)]) : random.int(1, 1000);
  const oneway = method.name === "note" || random.chance(0.05);
  const type = oneway ? MessageType.ONEWAY : MessageType.CALL;
  const message = encode(form, method.name, type, seqid, (writer) => method.write(writer, random));
  // A known method is answered or not by what its IDL says, an unknown one by what its client says.
  const unknown = method.name === "nobody" || method.name === "None:nothing";
  const answered = unknown ? !oneway : method.name !== "note";
  return { bytes: wrap(random, form, message), name: method.name, seqid, answered };
}

function encode(
  form: Form,
  name: string,
  type: number,
  seqid: number,
  write: (writer: ProtocolWriter) => void,
): Buffer {
  const writer = createReplyWriter(form.protocol);
  writer.reset(0);
  writer.writeMessageBegin(name, type, seqid);
  const headBytes = writer.position;
  writer.writeStructBegin("args");
  write(writer);
  writer.writeFieldStop();
  writer.writeStructEnd();
  writer.writeMessageEnd();
  const message = Buffer.from(writer.buffer.subarray(0, writer.position));
  if (!form.old) return message;
  const head = Buffer.alloc(9 + name.length);
  head.writeInt32BE(name.length);
  head.write(name, 4, "latin1");
  head[4 + name.length] = type;
  head.writeInt32BE(seqid, 5 + name.length);
  return Buffer.concat([head, message.subarray(headBytes)]);
}

function wrap(random: Random, { transport, protocol }: Form, message: Buffer): Buffer {
  if (transport === "unframed") return message;
  if (transport === "framed") return framed(message);
  const headers: Record<string, string> = {};
  for (let left = random.int(0, 2); left > 0; left--) headers[text(random)] = text(random);
  if (random.chance(0.1)) headers["client_timeout"] = String(random.int(0, 1e9));
  return theader(message, {
    protocolId: { binary: 0, json: 1, compact: 2 }[protocol],
    flags: random.int(0, 1),
    seqid: random.int(0, 9),
    transforms: transport === "theader-zlib" ? (random.chance(0.1) ? [1, 1] : [1]) : [],
    headers,
  });
}

function field(writer: ProtocolWriter, type: number, id: number, write: () => void): void {
  writer.writeFieldBegin("f", type, id);
  write();
  writer.writeFieldEnd();
}

/** The types of the fields of `Kinds`, by id: most values go where they belong. */
const kindsTypes = [0, 2, 3, 6, 8, 10, 4, 11, 11, 8, 15, 14, 13, 13, 13, 13, 13, 14, 15, 15, 15, 13] as const;
const scalars = [Type.BOOL, Type.BYTE, Type.I16, Type.I32, Type.I64, Type.DOUBLE, Type.STRING, Type.UUID];

/** The fields of a struct, and the struct around them unless it is the arguments'. */
function struct(writer: ProtocolWriter, random: Random, depth: number, whole = true): void {
  if (whole) writer.writeStructBegin("s");
  for (let left = random.int(0, 4); left > 0; left--) {
    const id = random.chance(0.9) ? random.int(1, 21) : random.int(-300, 300);
    const own = id > 0 && id < kindsTypes.length ? kindsTypes[id]! : Type.STRING;
    const type = random.chance(0.9) ? own : random.pick([...scalars, Type.STRUCT, Type.LIST, Type.MAP]);
    field(writer, type, id, () => value(writer, random, type, depth - 1));
  }
  if (!whole) return;
  writer.writeFieldStop();
  writer.writeStructEnd();
}

function value(writer: ProtocolWriter, random: Random, type: number, depth: number): void {
  switch (type) {
    case Type.BOOL:
      writer.writeBool(random.chance(0.5));
      break;
    case Type.BYTE:
      writer.writeByte(random.int(-128, 127));
      break;
    case Type.I16:
      writer.writeI16(random.int(-32768, 32767));
      break;
    case Type.I32:
      writer.writeI32(random.int(-(2 ** 31), 2 ** 31 - 1));
      break;
    case Type.I64:
      writer.writeI64(BigInt(random.int(-(2 ** 31), 2 ** 31)) << BigInt(random.int(0, 31)));
      break;
    case Type.DOUBLE:
      writer.writeDouble(random.pick([0, -1.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY]));
      break;
    case Type.STRING:
      writer.writeString(text(random));
      break;
    case Type.UUID:
      writer.writeUuid("00112233-4455-6677-8899-aabbccddeeff");
      break;
    case Type.STRUCT:
      struct(writer, random, depth);
      break;
    case Type.MAP:
      map(writer, random, depth, random.pick(scalars), inner(random, depth));
      break;
    default: {
      const of = inner(random, depth);
      const count = depth > 0 ? random.int(0, 3) : 0;
      if (type === Type.SET) writer.writeSetBegin(of, count);
      else writer.writeListBegin(of, count);
      for (let left = count; left > 0; left--) value(writer, random, of, depth - 1);
      if (type === Type.SET) writer.writeSetEnd();
      else writer.writeListEnd();
    }
  }
}

function map(writer: ProtocolWriter, random: Random, depth: number, key: number, of: number): void {
  const count = random.int(0, 3);
  writer.writeMapBegin(key, of, count);
  for (let left = count; left > 0; left--) {
    value(writer, random, key, 0);
    value(writer, random, of, depth - 1);
  }
  writer.writeMapEnd();
}

function inner(random: Random, depth: number): number {
  return random.pick(depth > 0 ? [...scalars, Type.STRUCT, Type.LIST, Type.SET] : scalars);
}

const texts = ["", "a", "__proto__", "hasOwnProperty", 'q"\\[{]},:', "\u0000\n", "ü𝄞", "x".repeat(200)];

function text(random: Random): string {
  return random.pick(texts);
}
