/** Varints as headers have them: up to five bytes, the lowest seven bits first. */
import { WireError } from "./message.ts";

/** The value that `readVarint` read last, as a signed 32-bit number: two results without an object. */
export let varint = 0;

/**
 * Reads a varint at `start` and leaves its value in `varint`.
 *
 * @returns where the next byte stands, or -1 when the bytes end inside the varint
 * @throws {WireError} when it is longer than five bytes
 */
export function readVarint(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let shift = 0, at = start; shift < 35; shift += 7, at++) {
    if (at >= end) return -1;
    const byte = bytes[at]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      varint = value;
      return at + 1;
    }
  }
  throw new WireError("bad-header", "a varint of more than five bytes in the message's header");
}

/** Appends the bytes of a varint; `value` is not negative. */
export function pushVarint(to: number[], value: number): void {
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) to.push((rest & 0x7f) | 0x80);
  to.push(rest);
}
