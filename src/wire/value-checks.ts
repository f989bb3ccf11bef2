import { ProtocolError } from "./protocol-error.ts";

/** A value for an error's message: short, and safe with anything. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}

// The three for the hot path. A bigint or an object must not get as far as the shift, which would throw a
// TypeError.
/** Whether it is a number that an i32 can hold. */
export function isInteger32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

/** Whether it is a number that an i16 can hold. */
export function isInteger16(value: unknown): value is number {
  return typeof value === "number" && (value << 16) >> 16 === value;
}

/** Whether it is a number that a byte can hold. */
export function isInteger8(value: unknown): value is number {
  return typeof value === "number" && (value << 24) >> 24 === value;
}

/**
 * The value as an integer of so many bits. A string counts only when it is what `String(integer)` gives: the
 * keys of a map<i32, …> arrive as such.
 * Throws ProtocolError (invalid-data) for anything else, so that a handler's wrong result is an error, not
 * other bytes.
 */
export function checkedInteger(value: unknown, bits: 8 | 16 | 32, method: string): number {
  const number = numberOf(value);
  const limit = 2 ** (bits - 1);
  if (!Number.isInteger(number) || number < -limit || number >= limit) {
    throw new ProtocolError("invalid-data", `${method}: ${describeValue(value)} is no ${bits}-bit integer`);
  }
  return number;
}

/**
 * The value as a double, under the same rule for strings. Throws ProtocolError (invalid-data) when it is no
 * number.
 */
export function checkedDouble(value: unknown, method: string): number {
  const number = numberOf(value);
  if (Number.isNaN(number) && !Number.isNaN(value) && value !== "NaN") {
    throw new ProtocolError("invalid-data", `${method}: ${describeValue(value)} is no number`);
  }
  return number;
}

/**
 * The value's truth. "false" and "0" are false, because the keys of a map<bool, …> arrive as strings.
 * Throws ProtocolError (invalid-data) for null and undefined.
 */
export function checkedBool(value: unknown, method: string): boolean {
  if (value === undefined || value === null) {
    throw new ProtocolError("invalid-data", `${method}: ${value} is no bool`);
  }
  return value !== "false" && value !== "0" && Boolean(value);
}

/** A container's size, of at most 2^31 − 1. Throws ProtocolError (invalid-data) for anything else. */
export function checkedSize(value: unknown, method: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0x7fffffff) {
    throw new ProtocolError(
      "invalid-data",
      `${method}: ${describeValue(value)} is no container's size; give an array for a list or set, a plain object for a map`,
    );
  }
  return value as number;
}

/**
 * The 16 bytes of a UUID in its usual form, of any version. Throws ProtocolError (invalid-data) for anything
 * else.
 */
export function checkedUuid(value: unknown, method: string): Buffer {
  if (
    typeof value !== "string" ||
    !/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(value)
  ) {
    throw new ProtocolError(
      "invalid-data",
      `${method}: ${describeValue(value)} is no UUID; give 32 hexadecimal digits in five groups, 8-4-4-4-12`,
    );
  }
  return Buffer.from(value.replaceAll("-", ""), "hex");
}

/** The error for a value that is neither text nor bytes. */
export function notTextOrBytes(value: unknown, method: string): ProtocolError {
  return new ProtocolError(
    "invalid-data",
    `${method}: ${describeValue(value)} is neither a string nor a Buffer`,
  );
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return Number.NaN;
  const number = Number(value);
  return String(number) === value ? number : Number.NaN;
}
