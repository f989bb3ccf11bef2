import type Int64 from "node-int64";
import { BufferReader, unknownType } from "./buffer-reader.ts";
import {
  CompactType,
  NO_TYPE,
  PROTOCOL_ID,
  THRIFT_TYPE,
  TYPE_SHIFT,
  VERSION,
  VERSION_MASK,
} from "./compact-types.ts";
import { doubleBytes, doubleOfBytes } from "./double-bytes.ts";
import { int64FromHalves } from "./int64.ts";
import type {
  FieldHeader,
  ListHeader,
  MapHeader,
  MessageHeader,
  ProtocolReader,
  StructHeader,
} from "./protocol.ts";
import { Type } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";

type PendingBool = "none" | "true" | "false";

/** Reads Thrift's compact protocol, version 1. */
export class CompactReader extends BufferReader implements ProtocolReader {
  readonly #field: { fname: null; ftype: number; fid: number } = { fname: null, ftype: 0, fid: 0 };
  // Field ids are written as the distance from the one before, anew in each struct: by depth, where each outer
  // struct stands.
  readonly #outerFieldIds: number[] = [];
  #lastFieldId = 0;
  // A bool field has its value in its header; the next readBool takes it from here.
  #pendingBool: PendingBool = "none";
  // The upper half of the varint that #varint64 read.
  #high = 0;

  override reset(bytes: Buffer, start: number, end: number): void {
    super.reset(bytes, start, end);
    this.#pendingBool = "none";
  }

  readMessageBegin(): MessageHeader {
    const at = this.take(2);
    const protocolId = this.bytes[at]!;
    const versionAndType = this.bytes[at + 1]!;
    if (protocolId !== PROTOCOL_ID || (versionAndType & VERSION_MASK) !== VERSION) {
      throw new ProtocolError(
        "bad-version",
        `no message of the compact protocol's version 1: ${protocolId} ${versionAndType}`,
      );
    }
    const rseqid = this.#varint32();
    return { fname: this.readString(), mtype: versionAndType >> TYPE_SHIFT, rseqid };
  }

  override readStructBegin(): StructHeader {
    const header = super.readStructBegin();
    this.#outerFieldIds[this.structDepth] = this.#lastFieldId;
    this.#lastFieldId = 0;
    return header;
  }

  override readStructEnd(): void {
    this.#lastFieldId = this.#outerFieldIds[this.structDepth]!;
    super.readStructEnd();
  }

  readFieldBegin(): FieldHeader {
    const field = this.#field;
    const head = this.bytes[this.take(1)]!;
    const compactType = head & 0x0f;
    if (compactType === CompactType.STOP) {
      field.ftype = Type.STOP;
      field.fid = 0;
      return field;
    }
    field.ftype = thriftType(compactType);
    const delta = head >> 4;
    this.#lastFieldId = delta === 0 ? this.readI16() : this.#lastFieldId + delta;
    field.fid = this.#lastFieldId;
    if (compactType === CompactType.TRUE) this.#pendingBool = "true";
    else if (compactType === CompactType.FALSE) this.#pendingBool = "false";
    return field;
  }

  readMapBegin(): MapHeader {
    const size = this.#varint32();
    const types = size === 0 ? 0 : this.bytes[this.take(1)]!;
    const keyType = thriftType(types >> 4);
    const valueType = thriftType(types & 0x0f);
    this.enterContainer(size, this.elementBytes(keyType, size) + this.elementBytes(valueType, size));
    this.map.ktype = keyType;
    this.map.vtype = valueType;
    this.map.size = size;
    return this.map;
  }

  readListBegin(): ListHeader {
    const head = this.bytes[this.take(1)]!;
    const size = head >> 4 === 15 ? this.#varint32() : head >> 4;
    const type = thriftType(head & 0x0f);
    this.enterContainer(size, this.elementBytes(type, size));
    this.list.etype = type;
    this.list.size = size;
    return this.list;
  }

  readBool(): boolean {
    const pending = this.#pendingBool;
    if (pending === "none") return this.bytes[this.take(1)] === CompactType.TRUE;
    this.#pendingBool = "none";
    return pending === "true";
  }

  readByte(): number {
    return (this.bytes[this.take(1)]! << 24) >> 24;
  }

  readI16(): number {
    const value = this.readI32();
    if ((value << 16) >> 16 !== value)
      throw new ProtocolError("invalid-data", `${value} is no 16-bit integer`);
    return value;
  }

  readI32(): number {
    const zigzag = this.#varint32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  readI64(): Int64 {
    const low = this.#varint64();
    const high = this.#high;
    const sign = -(low & 1);
    return int64FromHalves((high >>> 1) ^ sign, ((low >>> 1) | (high << 31)) ^ sign);
  }

  // Little-endian, unlike the binary protocol.
  readDouble(): number {
    const at = this.take(8);
    const bytes = this.bytes;
    for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[at + index]!;
    return doubleOfBytes(true);
  }

  readString(): string {
    return this.text(this.#varint32());
  }

  readBinary(): Buffer {
    return this.copy(this.#varint32());
  }

  protected minimumBytes(type: number): number {
    if (type === Type.DOUBLE) return 8;
    if (type === Type.UUID) return 16;
    return type === Type.STOP ? 0 : 1;
  }

  protected skipScalar(type: number): void {
    switch (type) {
      case Type.BOOL:
        this.readBool();
        break;
      case Type.BYTE:
        this.take(1);
        break;
      case Type.I16:
      case Type.I32:
      case Type.I64:
        this.#varint64();
        break;
      case Type.DOUBLE:
        this.take(8);
        break;
      case Type.UUID:
        this.take(16);
        break;
      case Type.STRING:
        this.takeSized(this.#varint32());
        break;
      default:
        throw unknownType(type);
    }
  }

  /** Up to 5 bytes; the result is signed, so that a length of 2^31 and more comes out negative. */
  #varint32(): number {
    const first = this.bytes[this.take(1)]!;
    if (first < 0x80) return first;
    let result = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)]!;
      if (shift === 28 && byte > 0x0f) break;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new ProtocolError("invalid-data", "an integer of more than 32 bits");
  }

  /**
   * Up to 10 bytes, in two halves because a BigInt costs more than the rest together: returns the lower, leaves
   * the upper in #high.
   */
  #varint64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.take(1)]!;
      if (shift === 63 && byte > 1) break;
      const part = byte & 0x7f;
      if (shift < 32) low |= part << shift;
      if (shift === 28) high = part >>> 4;
      else if (shift > 28) high |= part << (shift - 32);
      if (byte < 0x80) {
        this.#high = high;
        return low;
      }
    }
    throw new ProtocolError("invalid-data", "an integer of more than 64 bits");
  }
}

function thriftType(compactType: number): number {
  const type = THRIFT_TYPE[compactType]!;
  if (type === NO_TYPE) throw unknownType(compactType);
  return type;
}
