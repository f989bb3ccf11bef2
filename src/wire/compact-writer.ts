import { BufferWriter } from "./buffer-writer.ts";
import { COMPACT_TYPE, CompactType, PROTOCOL_ID, TYPE_SHIFT, VERSION } from "./compact-types.ts";
import { doubleBytes, doubleToBytes } from "./double-bytes.ts";
import { type Int64Value, int64Halves, splitInt64 } from "./int64.ts";
import type { ProtocolWriter } from "./protocol.ts";
import { Type } from "./protocol.ts";
import {
  checkedBool,
  checkedDouble,
  checkedInteger,
  checkedSize,
  isInteger8,
  isInteger16,
  isInteger32,
} from "./value-checks.ts";

// No field id: those are 16 bits wide.
const NO_BOOL_FIELD = 0x10000;

/** Writes Thrift's compact protocol, version 1. */
export class CompactWriter extends BufferWriter implements ProtocolWriter {
  // Field ids are written as the distance from the one before, anew in each struct: by depth, where each outer
  // struct stands.
  readonly #outerFieldIds: number[] = [];
  #lastFieldId = 0;
  // A bool field's header waits here for its value, which is written into it.
  #boolFieldId = NO_BOOL_FIELD;

  override reset(position?: number): void {
    super.reset(position);
    this.#boolFieldId = NO_BOOL_FIELD;
  }

  writeMessageBegin(name: string, type: number, seqid: number): void {
    this.#putByte(PROTOCOL_ID);
    this.#putByte(VERSION | (type << TYPE_SHIFT));
    this.#putVarint32(checkedInteger(seqid, 32, "writeMessageBegin"));
    this.writeString(name);
  }

  override writeStructBegin(name?: string): void {
    super.writeStructBegin(name);
    this.#outerFieldIds[this.structDepth] = this.#lastFieldId;
    this.#lastFieldId = 0;
  }

  override writeStructEnd(): void {
    this.#lastFieldId = this.#outerFieldIds[this.structDepth]!;
    super.writeStructEnd();
  }

  writeFieldBegin(_name: string, type: number, id: number): void {
    if (type === Type.BOOL) this.#boolFieldId = id;
    else this.#putFieldHeader(COMPACT_TYPE[type]!, id);
  }

  writeFieldStop(): void {
    this.#putByte(CompactType.STOP);
  }

  writeMapBegin(keyType: number, valueType: number, size: number): void {
    const count = checkedSize(size, "writeMapBegin");
    this.#putVarint32(count);
    if (count > 0) this.#putByte((COMPACT_TYPE[keyType]! << 4) | COMPACT_TYPE[valueType]!);
    this.enterContainer(2 * count);
  }

  writeListBegin(elementType: number, size: number): void {
    this.#putCollection(elementType, checkedSize(size, "writeListBegin"));
  }

  writeSetBegin(elementType: number, size: number): void {
    this.#putCollection(elementType, checkedSize(size, "writeSetBegin"));
  }

  writeBool(value: unknown): void {
    const type = checkedBool(value, "writeBool") ? CompactType.TRUE : CompactType.FALSE;
    this.written++;
    if (this.#boolFieldId === NO_BOOL_FIELD) {
      this.#putByte(type);
    } else {
      this.#putFieldHeader(type, this.#boolFieldId);
      this.#boolFieldId = NO_BOOL_FIELD;
    }
  }

  writeByte(value: number | string): void {
    const byte = isInteger8(value) ? value : checkedInteger(value, 8, "writeByte");
    this.written++;
    this.#putByte(byte);
  }

  writeI16(value: number | string): void {
    const number = isInteger16(value) ? value : checkedInteger(value, 16, "writeI16");
    this.written++;
    this.#putZigzag32(number);
  }

  writeI32(value: number | string): void {
    const number = isInteger32(value) ? value : checkedInteger(value, 32, "writeI32");
    this.written++;
    this.#putZigzag32(number);
  }

  writeI64(value: Int64Value): void {
    splitInt64(value, "writeI64");
    this.written++;
    const high = int64Halves[0]!;
    const low = int64Halves[1]!;
    const sign = high >> 31;
    this.#putVarint64(((high << 1) | (low >>> 31)) ^ sign, (low << 1) ^ sign);
  }

  // Little-endian, unlike the binary protocol.
  writeDouble(value: number | string): void {
    doubleToBytes(typeof value === "number" ? value : checkedDouble(value, "writeDouble"), true);
    this.written++;
    const at = this.room(8);
    const buffer = this.buffer;
    for (let index = 0; index < 8; index++) buffer[at + index] = doubleBytes[index]!;
  }

  writeString(value: string | Uint8Array): void {
    if (typeof value !== "string") {
      this.#putSized(this.bytesOf(value, "writeString"));
      return;
    }
    this.written++;
    const most = this.mostBytes(value);
    if (most < 0x80) {
      // Its length takes one byte, whatever it turns out to be.
      const at = this.room(1 + most);
      this.position = at + 1;
      this.buffer[at] = this.putText(value);
      return;
    }
    const sizeBytes = Buffer.byteLength(value);
    this.#putVarint32(sizeBytes);
    this.position = this.room(sizeBytes);
    this.putText(value);
  }

  writeBinary(value: string | Uint8Array): void {
    this.#putSized(
      typeof value === "string" ? Buffer.from(value, "latin1") : this.bytesOf(value, "writeBinary"),
    );
  }

  #putFieldHeader(compactType: number, id: number): void {
    const delta = id - this.#lastFieldId;
    this.#lastFieldId = id;
    if (delta > 0 && delta <= 15) {
      this.#putByte((delta << 4) | compactType);
    } else {
      this.#putByte(compactType);
      this.#putZigzag32(id);
    }
  }

  #putCollection(elementType: number, count: number): void {
    const type = COMPACT_TYPE[elementType]!;
    if (count < 15) {
      this.#putByte((count << 4) | type);
    } else {
      this.#putByte(0xf0 | type);
      this.#putVarint32(count);
    }
    this.enterContainer(count);
  }

  #putSized(bytes: Uint8Array): void {
    this.written++;
    this.#putVarint32(bytes.length);
    this.put(bytes);
  }

  #putByte(value: number): void {
    const at = this.room(1);
    this.buffer[at] = value;
  }

  #putZigzag32(value: number): void {
    this.#putVarint32((value << 1) ^ (value >> 31));
  }

  #putVarint32(value: number): void {
    let at = this.room(5);
    const buffer = this.buffer;
    let rest = value;
    while (rest >>> 0 > 0x7f) {
      buffer[at++] = rest | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.position = at;
  }

  #putVarint64(high: number, low: number): void {
    let at = this.room(10);
    const buffer = this.buffer;
    let upper = high;
    let rest = low;
    while (upper !== 0 || rest >>> 0 > 0x7f) {
      buffer[at++] = rest | 0x80;
      rest = (rest >>> 7) | (upper << 25);
      upper >>>= 7;
    }
    buffer[at++] = rest;
    this.position = at;
  }
}
