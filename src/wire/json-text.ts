/** The texts of the JSON protocol: names of types, doubles, escapes. */
import { Type } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";

const NAMES: readonly (readonly [number, string])[] = [
  [Type.BOOL, "tf"],
  [Type.BYTE, "i8"],
  [Type.I16, "i16"],
  [Type.I32, "i32"],
  [Type.I64, "i64"],
  [Type.DOUBLE, "dbl"],
  [Type.STRING, "str"],
  [Type.STRUCT, "rec"],
  [Type.MAP, "map"],
  [Type.SET, "set"],
  [Type.LIST, "lst"],
  [Type.UUID, "uid"],
];
const TYPE_NAMES = new Map(NAMES);

/** Thrift's types by the protocol's names. */
export const JSON_TYPES: ReadonlyMap<string, number> = new Map(NAMES.map(([type, name]) => [name, type]));

/** The protocol's name of a type, undefined when there is no such type. */
export function jsonTypeName(type: number): string | undefined {
  return TYPE_NAMES.get(type);
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
// As C++ and Java write them in quotes, and Python and JavaScript without.
const NO_DECIMAL: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["-nan", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["inf", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
]);

/** The double that a text stands for, undefined when it stands for none. */
export function numberOfJsonDouble(text: string): number | undefined {
  return DECIMAL.test(text) ? Number(text) : NO_DECIMAL.get(text.toLowerCase());
}

/** The text of a double: its shortest decimal form, or a word, which has to stand in quotes. */
export function jsonDouble(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(u?)(.?))/gs;
const ESCAPED: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Replaces the escapes in the inside of a JSON string. Halves of surrogate pairs become U+FFFD.
 *
 * @throws {ProtocolError} for what is no escape
 */
export function unescapeJson(text: string): string {
  return text
    .replace(ESCAPE, (whole: string, hex: string | undefined, u: string, letter: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const character = u === "" ? ESCAPED[letter] : undefined;
      if (character === undefined) throw new ProtocolError("invalid-data", `${whole} is no escape in JSON`);
      return character;
    })
    .toWellFormed();
}

/** A text as a JSON string. Only what JSON demands is escaped; halves of surrogate pairs become U+FFFD. */
export function jsonString(text: string): string {
  return JSON.stringify(text.toWellFormed());
}
