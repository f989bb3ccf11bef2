/** Reads the header of a JSON message in place: `[1,"name",type,seqid,` and then the arguments' object. */
import { checkNameLength, type HeaderReader, maxNameBytes } from "./header-reader.ts";
import { WireError } from "./message.ts";

/** All of the header, white space included: reading it again for each piece of a message must stay cheap. */
const longestHeaderBytes: number = maxNameBytes + 256;
const version = 1;

const Byte = { QUOTE: 0x22, COMMA: 0x2c, MINUS: 0x2d, OPEN: 0x5b, BACKSLASH: 0x5c, OBJECT: 0x7b } as const;

/** Reads the header of a JSON message. White space may stand before and in it. */
export const readJsonHeader: HeaderReader = (view, end) => {
  const { bytes, start } = view;
  const limit = Math.min(end, start + longestHeaderBytes);
  let at = expect(bytes, start, limit, Byte.OPEN);
  at = readInteger(bytes, at, limit);
  if (at >= 0 && integer !== version) throw badHeader(`a JSON message of version ${integer}`);
  at = expect(bytes, expect(bytes, at, limit, Byte.COMMA), limit, Byte.QUOTE);
  view.nameStart = at;
  at = endOfString(bytes, at, limit);
  view.nameEnd = at - 1;
  if (at >= 0) checkNameLength(view.nameEnd - view.nameStart);
  at = readInteger(bytes, expect(bytes, at, limit, Byte.COMMA), limit);
  view.type = integer;
  at = readInteger(bytes, expect(bytes, at, limit, Byte.COMMA), limit);
  view.seqid = integer | 0;
  at = expect(bytes, expect(bytes, at, limit, Byte.COMMA), limit, Byte.OBJECT);
  if (at < 0 && limit < end)
    throw badHeader(`a JSON message's header of more than ${longestHeaderBytes} bytes`);
  view.bodyStart = at - 1;
  return at >= 0;
};

/** Whether a byte is white space as JSON knows it. */
export function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

// Each of these goes on at `at` and returns where the next one goes on, or -1 when the bytes have ended,
// which the next one passes on.

function expect(bytes: Buffer, at: number, end: number, wanted: number): number {
  const next = skipSpace(bytes, at, end);
  if (next < 0) return -1;
  if (bytes[next] !== wanted) throw badHeader(`a JSON message's header with ${hex(bytes[next]!)} in it`);
  return next + 1;
}

function skipSpace(bytes: Buffer, at: number, end: number): number {
  if (at < 0) return -1;
  let next = at;
  while (next < end && isJsonSpace(bytes[next]!)) next++;
  return next < end ? next : -1;
}

/** The value that `readInteger` read last. */
let integer = 0;

function readInteger(bytes: Buffer, at: number, end: number): number {
  let next = skipSpace(bytes, at, end);
  if (next < 0) return -1;
  const negative = bytes[next] === Byte.MINUS;
  if (negative) next++;
  const first = next;
  let value = 0;
  for (; next < end && bytes[next]! >= 0x30 && bytes[next]! <= 0x39; next++) {
    value = value * 10 + bytes[next]! - 0x30;
    if (next - first > 10) throw badHeader("a number of more than ten digits in a JSON message's header");
  }
  // Only what follows shows that the number has ended.
  if (next >= end) return -1;
  if (next === first) throw badHeader(`a JSON message's header with ${hex(bytes[next]!)} for a number`);
  integer = negative ? -value : value;
  return next;
}

function endOfString(bytes: Buffer, at: number, end: number): number {
  if (at < 0) return -1;
  for (let next = at; next < end; next++) {
    if (bytes[next] === Byte.QUOTE) return next + 1;
    if (bytes[next] === Byte.BACKSLASH) next++;
  }
  return -1;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

function badHeader(message: string): WireError {
  return new WireError("bad-header", message);
}
