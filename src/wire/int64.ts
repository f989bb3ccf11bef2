import Int64 from "node-int64";
import { ProtocolError } from "./protocol-error.ts";
import { describeValue } from "./value-checks.ts";

/**
 * Whatever is taken for an i64: node-int64, an integral number, a bigint, or a decimal string (a map's key).
 */
export type Int64Value = Int64 | number | bigint | string;

const TWO_TO_32 = 2 ** 32;
const TWO_TO_63 = 2 ** 63;

/** Where `splitInt64` leaves its answer: the high half, then the low half. Read it before the next call. */
export const int64Halves: Int32Array = new Int32Array(2);

const wide = new DataView(new ArrayBuffer(8));

/**
 * Splits a value into the two signed 32-bit halves of its two's complement, in `int64Halves`.
 * Throws ProtocolError (invalid-data) that names `method` when it is no 64-bit integer.
 */
export function splitInt64(value: unknown, method: string): void {
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value >= TWO_TO_63 || value < -TWO_TO_63) throw notInt64(value, method);
    int64Halves[0] = Math.floor(value / TWO_TO_32);
    int64Halves[1] = value | 0;
  } else if (isInt64(value)) {
    const bytes = value.buffer;
    const at = value.offset;
    int64Halves[0] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    int64Halves[1] = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
  } else if (typeof value === "bigint") {
    splitBigInt(value, method);
  } else if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) {
    splitBigInt(BigInt(value), method);
  } else {
    throw notInt64(value, method);
  }
}

/** A node-int64 with these two signed or unsigned 32-bit halves, on 8 bytes of its own. */
export function int64FromHalves(high: number, low: number): Int64 {
  // Not from Buffer's pool: posted to another thread, a pooled buffer takes its whole pool along.
  const bytes = Buffer.alloc(8);
  bytes[0] = high >>> 24;
  bytes[1] = high >>> 16;
  bytes[2] = high >>> 8;
  bytes[3] = high;
  bytes[4] = low >>> 24;
  bytes[5] = low >>> 16;
  bytes[6] = low >>> 8;
  bytes[7] = low;
  const value = new Int64(bytes);
  // Generated code makes an i64 that is a map's key a property's name, which is its text: it must have all digits.
  if (!isSafe(high | 0, low)) Object.defineProperty(value, "toString", { value: exactText });
  return value;
}

/** Whether |value| < 2^53, from where on node-int64's text has not all its digits. */
function isSafe(high: number, low: number): boolean {
  return (high < 0x200000 && high > -0x200000) || (high === -0x200000 && low !== 0);
}

function exactText(this: Int64, radix?: number): string {
  return toBigInt(this).toString(radix);
}

/**
 * The exact value. Throws ProtocolError (invalid-data) that names `method` when `value` is no 64-bit integer.
 */
export function toBigInt(value: Int64Value, method = "toBigInt"): bigint {
  splitInt64(value, method);
  wide.setInt32(0, int64Halves[0]!);
  wide.setInt32(4, int64Halves[1]!);
  return wide.getBigInt64(0);
}

/**
 * A node-int64 of the same value, on 8 bytes of its own. Throws ProtocolError (invalid-data) when out of range.
 */
export function toInt64(value: Int64Value): Int64 {
  splitInt64(value, "toInt64");
  return int64FromHalves(int64Halves[0]!, int64Halves[1]!);
}

/**
 * The value as a number. Throws ProtocolError (invalid-data) outside ±(2^53 − 1), where numbers begin to stand
 * for several integers; `Int64.toNumber()` gives Infinity there.
 */
export function toSafeNumber(value: Int64Value): number {
  splitInt64(value, "toSafeNumber");
  const number = int64Halves[0]! * TWO_TO_32 + (int64Halves[1]! >>> 0);
  if (!Number.isSafeInteger(number)) {
    throw new ProtocolError(
      "invalid-data",
      `toSafeNumber: ${toBigInt(value)} does not fit a number exactly; use toBigInt`,
    );
  }
  return number;
}

// By shape, not `instanceof`: a service may have its own copy of node-int64.
function isInt64(value: unknown): value is { buffer: Uint8Array; offset: number } {
  if (value instanceof Int64) return true;
  if (typeof value !== "object" || value === null) return false;
  const { buffer, offset } = value as { buffer?: unknown; offset?: unknown };
  return (
    buffer instanceof Uint8Array &&
    Number.isInteger(offset) &&
    (offset as number) >= 0 &&
    buffer.length >= (offset as number) + 8
  );
}

function splitBigInt(value: bigint, method: string): void {
  wide.setBigInt64(0, value);
  if (wide.getBigInt64(0) !== value) throw notInt64(value, method);
  int64Halves[0] = wide.getInt32(0);
  int64Halves[1] = wide.getInt32(4);
}

function notInt64(value: unknown, method: string): ProtocolError {
  return new ProtocolError(
    "invalid-data",
    `${method}: ${describeValue(value)} is no 64-bit integer; give an Int64, a bigint, an integral number or a decimal string`,
  );
}
