import type Int64 from "node-int64";
import { BufferReader, unknownType } from "./buffer-reader.ts";
import { doubleBytes, doubleOfBytes } from "./double-bytes.ts";
import { int64FromHalves } from "./int64.ts";
import type { FieldHeader, ListHeader, MapHeader, MessageHeader, ProtocolReader } from "./protocol.ts";
import { Type } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";

const VERSION_MASK = 0xffff0000 | 0;
const VERSION_1 = 0x80010000 | 0;

// By type number: the size on the wire of what has one size, and the fewest bytes of everything.
const FIXED_BYTES = new Uint8Array(256);
FIXED_BYTES[Type.BOOL] = 1;
FIXED_BYTES[Type.BYTE] = 1;
FIXED_BYTES[Type.I16] = 2;
FIXED_BYTES[Type.I32] = 4;
FIXED_BYTES[Type.I64] = 8;
FIXED_BYTES[Type.DOUBLE] = 8;
FIXED_BYTES[Type.UUID] = 16;
const MINIMUM_BYTES = FIXED_BYTES.slice();
MINIMUM_BYTES[Type.STRING] = 4;
MINIMUM_BYTES[Type.STRUCT] = 1;
MINIMUM_BYTES[Type.MAP] = 6;
MINIMUM_BYTES[Type.SET] = 5;
MINIMUM_BYTES[Type.LIST] = 5;

/** Reads Thrift's binary protocol, message headers in the strict and the old form. */
export class BinaryReader extends BufferReader implements ProtocolReader {
  readonly #field: { fname: null; ftype: number; fid: number } = { fname: null, ftype: 0, fid: 0 };

  readMessageBegin(): MessageHeader {
    const first = this.readI32();
    if (first >= 0) {
      // The old form, without a version: the first word is the name's length.
      const fname = this.text(first);
      const mtype = this.readByte();
      return { fname, mtype, rseqid: this.readI32() };
    }
    if ((first & VERSION_MASK) !== VERSION_1) {
      throw new ProtocolError("bad-version", `no message of the binary protocol's version 1: ${first}`);
    }
    const fname = this.readString();
    return { fname, mtype: first & 0xff, rseqid: this.readI32() };
  }

  readFieldBegin(): FieldHeader {
    const field = this.#field;
    const at = this.take(1);
    const type = this.bytes[at]!;
    field.ftype = type;
    field.fid = type === Type.STOP ? 0 : this.readI16();
    return field;
  }

  readMapBegin(): MapHeader {
    const at = this.take(2);
    const keyType = this.bytes[at]!;
    const valueType = this.bytes[at + 1]!;
    const size = this.readI32();
    this.enterContainer(size, this.elementBytes(keyType, size) + this.elementBytes(valueType, size));
    this.map.ktype = keyType;
    this.map.vtype = valueType;
    this.map.size = size;
    return this.map;
  }

  readListBegin(): ListHeader {
    const type = this.bytes[this.take(1)]!;
    const size = this.readI32();
    this.enterContainer(size, this.elementBytes(type, size));
    this.list.etype = type;
    this.list.size = size;
    return this.list;
  }

  readBool(): boolean {
    return this.bytes[this.take(1)] !== 0;
  }

  readByte(): number {
    return (this.bytes[this.take(1)]! << 24) >> 24;
  }

  readI16(): number {
    const at = this.take(2);
    const bytes = this.bytes;
    return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
  }

  readI32(): number {
    const at = this.take(4);
    return i32At(this.bytes, at);
  }

  readI64(): Int64 {
    const at = this.take(8);
    return int64FromHalves(i32At(this.bytes, at), i32At(this.bytes, at + 4));
  }

  readDouble(): number {
    const at = this.take(8);
    const bytes = this.bytes;
    for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[at + index]!;
    return doubleOfBytes(false);
  }

  readString(): string {
    return this.text(this.readI32());
  }

  readBinary(): Buffer {
    return this.copy(this.readI32());
  }

  protected minimumBytes(type: number): number {
    return MINIMUM_BYTES[type]!;
  }

  protected skipScalar(type: number): void {
    if (type === Type.STRING) {
      this.takeSized(this.readI32());
      return;
    }
    const size = FIXED_BYTES[type];
    if (!size) throw unknownType(type);
    this.take(size);
  }

  protected override skipElements(type: number, count: number): void {
    const size = FIXED_BYTES[type]!;
    if (size > 0) this.take(size * count);
    else super.skipElements(type, count);
  }
}

function i32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
