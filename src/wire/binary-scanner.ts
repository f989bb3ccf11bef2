/** Finds the end of an unframed binary struct: see `scanner.ts`. */
import { badType, StructScanner } from "./scanner.ts";

const STOP = 0;
const STRING = 11;
const STRUCT = 12;
const MAP = 13;

/** Bytes of each type with a fixed size; 0 for the others, -1 for what is no type. */
const fixedSizes = Int8Array.from([-1, -1, 1, 1, 8, -1, 2, -1, 4, -1, 8, 0, 0, 0, 0, 0, 16]);

export class BinaryScanner extends StructScanner {
  protected fixedBytes(type: number): number {
    return fixedSizes[type] ?? -1;
  }

  protected field(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return -1;
    const type = bytes[at]!;
    if (type === STOP) {
      this.leaveStruct();
      return at + 1;
    }
    return this.value(type, bytes, at + 3, end);
  }

  protected value(type: number, bytes: Buffer, at: number, end: number): number {
    const size = fixedSizes[type] ?? -1;
    if (size < 0) throw badType(type);
    if (size > 0) return at + size;
    const headerBytes = type === STRUCT ? 0 : type === STRING ? 4 : type === MAP ? 6 : 5;
    if (at + headerBytes > end) return -1;
    if (type === STRUCT) this.enterStruct();
    else if (type === STRING) return at + 4 + this.budget.checkLength(bytes.readInt32BE(at), "string");
    else if (type === MAP) this.enterContainer(bytes[at]!, bytes[at + 1]!, bytes.readInt32BE(at + 2), 2);
    else this.enterContainer(bytes[at]!, bytes[at]!, bytes.readInt32BE(at + 1), 1);
    return at + headerBytes;
  }
}
