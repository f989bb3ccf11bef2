/**
 * Thrift's strict binary protocol in a few lines, written without the server's own code so that tests do not agree
 * with its mistakes. Values are tagged on the way out and plain on the way in.
 */

/** A value with its Thrift type. */
export type Tagged =
  | { readonly bool: boolean }
  | { readonly i32: number }
  | { readonly i64: bigint | number }
  | { readonly string: string | Buffer }
  | { readonly struct: Fields }
  | { readonly list: { readonly of: number; readonly items: readonly Tagged[] } };

/** Fields by id. */
export type Fields = Readonly<Record<number, Tagged>>;

/** A value as it was read: i64 as bigint, strings and binaries as Buffer, structs by field id. */
export type Plain = boolean | number | bigint | Buffer | Plain[] | Map<Plain, Plain> | PlainStruct;

/** A struct as it was read. */
export interface PlainStruct {
  readonly [id: number]: Plain;
}

/** Type numbers on the wire. */
export const Type = {
  BOOL: 2,
  BYTE: 3,
  DOUBLE: 4,
  I16: 6,
  I32: 8,
  I64: 10,
  STRING: 11,
  STRUCT: 12,
  MAP: 13,
  SET: 14,
  LIST: 15,
};

/** Message types on the wire. */
export const MessageType = { CALL: 1, REPLY: 2, EXCEPTION: 3, ONEWAY: 4 } as const;

/** A message as it was read. */
export interface Message {
  readonly name: string;
  readonly type: number;
  readonly seqid: number;
  readonly body: PlainStruct;
  /** How many bytes it took. */
  readonly length: number;
}

/** Writes a call: header and arguments, without a frame. */
export function encodeCall(
  name: string,
  seqid: number,
  args: Fields,
  type: number = MessageType.CALL,
): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE((0x80010000 | type) >>> 0);
  return Buffer.concat([head, bytes(Buffer.from(name)), int32(seqid), encodeStruct(args)]);
}

/** Puts a frame length before a message. */
export function frame(message: Buffer): Buffer {
  return Buffer.concat([int32(message.length), message]);
}

/** Reads one unframed message from `from` on. Undefined while it is not whole. */
export function decodeMessage(buffer: Buffer, from = 0): Message | undefined {
  const cursor = { buffer, at: from };
  try {
    const head = take(cursor, 4).readUInt32BE();
    if (head >>> 16 !== 0x8001) throw new Error(`no strict binary message begins with ${head.toString(16)}`);
    const name = take(cursor, take(cursor, 4).readInt32BE()).toString("utf8");
    const seqid = take(cursor, 4).readInt32BE();
    const body = readStruct(cursor);
    return { name, type: head & 0xff, seqid, body, length: cursor.at - from };
  } catch (error) {
    if (error === incomplete) return undefined;
    throw error;
  }
}

const incomplete: Error = new Error("the message is not whole");

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function bytes(content: Buffer): Buffer {
  return Buffer.concat([int32(content.length), content]);
}

function encodeStruct(fields: Fields): Buffer {
  const parts: Buffer[] = [];
  for (const [id, value] of Object.entries(fields) as unknown as [string, Tagged][]) {
    const head = Buffer.alloc(3);
    head[0] = typeOf(value);
    head.writeInt16BE(Number(id), 1);
    parts.push(head, encodeValue(value));
  }
  return Buffer.concat([...parts, Buffer.alloc(1)]);
}

function typeOf(value: Tagged): number {
  if ("bool" in value) return Type.BOOL;
  if ("i32" in value) return Type.I32;
  if ("i64" in value) return Type.I64;
  if ("string" in value) return Type.STRING;
  return "struct" in value ? Type.STRUCT : Type.LIST;
}

function encodeValue(value: Tagged): Buffer {
  if ("bool" in value) return Buffer.from([value.bool ? 1 : 0]);
  if ("i32" in value) return int32(value.i32);
  if ("string" in value) return bytes(Buffer.from(value.string as string));
  if ("struct" in value) return encodeStruct(value.struct);
  if ("list" in value) {
    const { of, items } = value.list;
    return Buffer.concat([Buffer.from([of]), int32(items.length), ...items.map(encodeValue)]);
  }
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value.i64));
  return buffer;
}

interface Cursor {
  readonly buffer: Buffer;
  at: number;
}

function take(cursor: Cursor, length: number): Buffer {
  if (length < 0) throw new Error(`a length of ${length}`);
  const end = cursor.at + length;
  if (end > cursor.buffer.length) throw incomplete;
  const part = cursor.buffer.subarray(cursor.at, end);
  cursor.at = end;
  return part;
}

function readStruct(cursor: Cursor): PlainStruct {
  const struct: Record<number, Plain> = {};
  for (;;) {
    const type = take(cursor, 1)[0]!;
    if (type === 0) return struct;
    const id = take(cursor, 2).readInt16BE();
    struct[id] = readValue(cursor, type);
  }
}

function readValue(cursor: Cursor, type: number): Plain {
  switch (type) {
    case Type.BOOL:
      return take(cursor, 1)[0] === 1;
    case Type.BYTE:
      return take(cursor, 1).readInt8();
    case Type.DOUBLE:
      return take(cursor, 8).readDoubleBE();
    case Type.I16:
      return take(cursor, 2).readInt16BE();
    case Type.I32:
      return take(cursor, 4).readInt32BE();
    case Type.I64:
      return take(cursor, 8).readBigInt64BE();
    case Type.STRING:
      return Buffer.from(take(cursor, take(cursor, 4).readInt32BE()));
    case Type.STRUCT:
      return readStruct(cursor);
    case Type.MAP:
      return readMap(cursor);
    case Type.SET:
    case Type.LIST: {
      const of = take(cursor, 1)[0]!;
      return Array.from({ length: take(cursor, 4).readInt32BE() }, () => readValue(cursor, of));
    }
    default:
      throw new Error(`no Thrift type has the number ${type}`);
  }
}

function readMap(cursor: Cursor): Map<Plain, Plain> {
  const [keyType, valueType] = take(cursor, 2) as unknown as [number, number];
  const map = new Map<Plain, Plain>();
  for (let left = take(cursor, 4).readInt32BE(); left > 0; left--) {
    const key = readValue(cursor, keyType);
    map.set(Buffer.isBuffer(key) ? key.toString("utf8") : (key as number), readValue(cursor, valueType));
  }
  return map;
}
