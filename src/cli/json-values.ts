/** Has a protocol's writer take wrapped JSON values as the type that the generated code asks for. */
import type { ProtocolWriter } from "../wire/protocol.ts";
import { ArgumentError, describe, leafOf, placeOf } from "./call-arguments.ts";

/** @returns the same writer */
export function takingJson(writer: ProtocolWriter): ProtocolWriter {
  const { writeString, writeBinary, writeBool, writeByte, writeI16, writeI32, writeI64, writeDouble } =
    writer;
  return Object.assign(writer, {
    writeString: (value: unknown) =>
      writeString.call(
        writer,
        plain(value, "a text", (text) => (typeof text === "string" ? text : undefined)),
      ),
    writeBinary: (value: unknown) =>
      writeBinary.call(writer, plain(value, "binary as base64 text", fromBase64)),
    writeBool: (value: unknown) => writeBool.call(writer, plain(value, "true or false", toBool)),
    writeByte: (value: unknown) =>
      writeByte.call(writer, plain(value, "a byte, -128 to 127", integerWithin(-128, 127))),
    writeI16: (value: unknown) =>
      writeI16.call(
        writer,
        plain(value, "a whole number of 16 bits", integerWithin(-(2 ** 15), 2 ** 15 - 1)),
      ),
    writeI32: (value: unknown) =>
      writeI32.call(
        writer,
        plain(value, "a whole number of 32 bits", integerWithin(-(2 ** 31), 2 ** 31 - 1)),
      ),
    writeI64: (value: unknown) => writeI64.call(writer, plain(value, "a whole number of 64 bits", toWide)),
    writeDouble: (value: unknown) =>
      writeDouble.call(writer, plain(value, 'a number, "NaN", "Infinity" or "-Infinity"', toDouble)),
  });
}

function toBool(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** A value or map key, converted; an error names where it stands. */
function plain<T>(given: unknown, expected: string, convert: (value: unknown) => T | undefined): T {
  const leaf = leafOf(given);
  const value = leaf === undefined ? given : leaf.value;
  const converted = convert(value);
  if (converted === undefined) {
    const place = placeOf(given);
    const where = place === undefined ? "" : `${place}: `;
    const what = isScalar(value) ? describe(value) : Array.isArray(value) ? "a list" : "an object";
    throw new ArgumentError(place, `${where}${what} was given; ${expected} is expected`);
  }
  if (leaf !== undefined) {
    leaf.used = true;
  }
  return converted;
}

function isScalar(value: unknown): value is string | number | bigint | boolean {
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

function integerWithin(min: number, max: number): (value: unknown) => number | undefined {
  return (value) => {
    // Keys of a JSON object are texts, whatever the map's key type.
    const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) && number >= min && number <= max
      ? number
      : undefined;
  };
}

function toWide(value: unknown): bigint | undefined {
  const isWhole =
    typeof value === "bigint" ||
    (typeof value === "number" && Number.isSafeInteger(value)) ||
    (typeof value === "string" && /^-?\d{1,19}$/.test(value));
  if (!isWhole) {
    return undefined;
  }
  const exact = BigInt(value);
  return BigInt.asIntN(64, exact) === exact ? exact : undefined;
}

function toDouble(value: unknown): number | undefined {
  if (typeof value === "number") {
    return value;
  }
  if (typeof value === "bigint") {
    return Number(value);
  }
  if (typeof value !== "string" || value.trim() === "") {
    return undefined;
  }
  const number = Number(value);
  return Number.isNaN(number) && value !== "NaN" ? undefined : number;
}

function fromBase64(value: unknown): Buffer | undefined {
  return typeof value === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value)
    ? Buffer.from(value, "base64")
    : undefined;
}
