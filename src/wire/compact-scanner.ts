/** Finds the end of an unframed compact struct: see `scanner.ts`. */
import { CompactType } from "./compact-types.ts";
import { WireError } from "./message.ts";
import { badType, StructScanner } from "./scanner.ts";
import { readVarint, varint } from "./varint.ts";

/** By compact type: the bytes of a value in a container; 0 where they differ, -1 for what is no type. */
const fixedSizes = Int8Array.from([-1, 1, 1, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 16, -1, -1]);
const longestVarintBytes = 10;

export class CompactScanner extends StructScanner {
  protected fixedBytes(type: number): number {
    return fixedSizes[type]!;
  }

  protected field(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return -1;
    const head = bytes[at]!;
    const type = head & 0x0f;
    if (type === CompactType.STOP) {
      this.leaveStruct();
      return at + 1;
    }
    // An id that is no short step from the one before follows as a varint.
    const next = head >> 4 === 0 ? skipVarint(bytes, at + 1, end) : at + 1;
    if (next < 0) return -1;
    // A bool field has its value in its type.
    return type === CompactType.TRUE || type === CompactType.FALSE
      ? next
      : this.value(type, bytes, next, end);
  }

  protected value(type: number, bytes: Buffer, at: number, end: number): number {
    const size = fixedSizes[type]!;
    if (size < 0) throw badType(type);
    if (size > 0) return at + size;
    switch (type) {
      case CompactType.STRUCT:
        this.enterStruct();
        return at;
      case CompactType.BINARY: {
        const next = readVarint(bytes, at, end);
        return next < 0 ? -1 : next + this.budget.checkLength(varint, "string");
      }
      case CompactType.LIST:
      case CompactType.SET:
        return this.#list(bytes, at, end);
      case CompactType.MAP:
        return this.#map(bytes, at, end);
      default:
        return skipVarint(bytes, at, end);
    }
  }

  #list(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return -1;
    const head = bytes[at]!;
    let count = head >> 4;
    let next = at + 1;
    if (count === 15) {
      next = readVarint(bytes, next, end);
      if (next < 0) return -1;
      count = varint;
    }
    this.enterContainer(head & 0x0f, head & 0x0f, count, 1);
    return next;
  }

  #map(bytes: Buffer, at: number, end: number): number {
    const next = readVarint(bytes, at, end);
    if (next < 0) return -1;
    const count = varint;
    if (count === 0) {
      this.enterContainer(0, 0, 0, 2);
      return next;
    }
    if (next >= end) return -1;
    this.enterContainer(bytes[next]! >> 4, bytes[next]! & 0x0f, count, 2);
    return next + 1;
  }
}

function skipVarint(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < start + longestVarintBytes; at++) {
    if (at >= end) return -1;
    if (bytes[at]! < 0x80) return at + 1;
  }
  throw new WireError("bad-length", `an integer of more than ${longestVarintBytes} bytes`);
}
