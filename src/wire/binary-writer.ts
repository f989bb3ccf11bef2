import { BufferWriter } from "./buffer-writer.ts";
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

const VERSION_1 = 0x80010000 | 0;

/** Writes Thrift's binary protocol, with strict message headers. */
export class BinaryWriter extends BufferWriter implements ProtocolWriter {
  writeMessageBegin(name: string, type: number, seqid: number): void {
    this.#putI32(VERSION_1 | type);
    this.writeString(name);
    this.writeI32(seqid);
  }

  writeFieldBegin(_name: string, type: number, id: number): void {
    const at = this.room(3);
    const buffer = this.buffer;
    buffer[at] = type;
    buffer[at + 1] = id >> 8;
    buffer[at + 2] = id;
  }

  writeFieldStop(): void {
    const at = this.room(1);
    this.buffer[at] = Type.STOP;
  }

  writeMapBegin(keyType: number, valueType: number, size: number): void {
    const count = checkedSize(size, "writeMapBegin");
    const at = this.room(2);
    this.buffer[at] = keyType;
    this.buffer[at + 1] = valueType;
    this.#putI32(count);
    this.enterContainer(2 * count);
  }

  writeListBegin(elementType: number, size: number): void {
    this.#putCollection(elementType, checkedSize(size, "writeListBegin"));
  }

  writeSetBegin(elementType: number, size: number): void {
    this.#putCollection(elementType, checkedSize(size, "writeSetBegin"));
  }

  writeBool(value: unknown): void {
    const byte = value === true || (value !== false && checkedBool(value, "writeBool")) ? 1 : 0;
    this.written++;
    const at = this.room(1);
    this.buffer[at] = byte;
  }

  writeByte(value: number | string): void {
    const byte = isInteger8(value) ? value : checkedInteger(value, 8, "writeByte");
    this.written++;
    const at = this.room(1);
    this.buffer[at] = byte;
  }

  writeI16(value: number | string): void {
    const number = isInteger16(value) ? value : checkedInteger(value, 16, "writeI16");
    this.written++;
    const at = this.room(2);
    this.buffer[at] = number >> 8;
    this.buffer[at + 1] = number;
  }

  writeI32(value: number | string): void {
    const number = isInteger32(value) ? value : checkedInteger(value, 32, "writeI32");
    this.written++;
    this.#putI32(number);
  }

  writeI64(value: Int64Value): void {
    splitInt64(value, "writeI64");
    this.written++;
    this.#putI32(int64Halves[0]!);
    this.#putI32(int64Halves[1]!);
  }

  writeDouble(value: number | string): void {
    doubleToBytes(typeof value === "number" ? value : checkedDouble(value, "writeDouble"), false);
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
    const at = this.room(4 + this.mostBytes(value));
    this.position = at + 4;
    const sizeBytes = this.putText(value);
    putI32(this.buffer, at, sizeBytes);
  }

  writeBinary(value: string | Uint8Array): void {
    this.#putSized(
      typeof value === "string" ? Buffer.from(value, "latin1") : this.bytesOf(value, "writeBinary"),
    );
  }

  #putCollection(elementType: number, count: number): void {
    const at = this.room(1);
    this.buffer[at] = elementType;
    this.#putI32(count);
    this.enterContainer(count);
  }

  #putSized(bytes: Uint8Array): void {
    this.written++;
    this.#putI32(bytes.length);
    this.put(bytes);
  }

  #putI32(value: number): void {
    const at = this.room(4);
    putI32(this.buffer, at, value);
  }
}

function putI32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value >> 24;
  buffer[at + 1] = value >> 16;
  buffer[at + 2] = value >> 8;
  buffer[at + 3] = value;
}
