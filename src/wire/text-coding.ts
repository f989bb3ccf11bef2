/** Buffer's own coders by encoding. They are public on every Buffer but missing in its types. */
export interface CodingBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, at: number): number;
}

// Measured on Node 24: one String.fromCharCode of the exact number of arguments takes 20 ns for 3 characters
// and 50 for 24, a call into native code 65 to 90; a loop that appends, or that fills an array to apply, is
// slower than both from 8 on.
const LONGEST_IN_SCRIPT = 24;
const fromCodes = String.fromCharCode;

// A loop that stores is faster than the 30 ns of the native call up to here.
const LONGEST_STORED_IN_SCRIPT = 9;

/**
 * The text of `length` bytes of UTF-8 from `at` on; what is no UTF-8 becomes U+FFFD. The caller has checked the
 * range.
 */
export function decodeText(bytes: CodingBuffer, at: number, length: number): string {
  if (length === 0) return "";
  return length <= LONGEST_IN_SCRIPT ? decodeShort(bytes, at, length) : bytes.utf8Slice(at, at + length);
}

/**
 * Stores text as UTF-8 from `at` on and returns its size in bytes. The caller has made room for all of it. Lone
 * surrogates become U+FFFD.
 */
export function encodeText(bytes: CodingBuffer, at: number, text: string): number {
  const length = text.length;
  if (length > LONGEST_STORED_IN_SCRIPT) return bytes.utf8Write(text, at);
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return bytes.utf8Write(text, at);
    bytes[at + index] = code;
  }
  return length;
}

// Unrolled because only a call with its arguments written out is fast; the bytes seen so far are ASCII when
// `high` says so.
function decodeShort(bytes: CodingBuffer, at: number, length: number): string {
  const a = bytes[at]!;
  let high = a;
  if (length === 1) return high < 128 ? fromCodes(a) : bytes.utf8Slice(at, at + length);
  const b = bytes[at + 1]!;
  high |= b;
  if (length === 2) return high < 128 ? fromCodes(a, b) : bytes.utf8Slice(at, at + length);
  const c = bytes[at + 2]!;
  high |= c;
  if (length === 3) return high < 128 ? fromCodes(a, b, c) : bytes.utf8Slice(at, at + length);
  const d = bytes[at + 3]!;
  high |= d;
  if (length === 4) return high < 128 ? fromCodes(a, b, c, d) : bytes.utf8Slice(at, at + length);
  const e = bytes[at + 4]!;
  high |= e;
  if (length === 5) return high < 128 ? fromCodes(a, b, c, d, e) : bytes.utf8Slice(at, at + length);
  const f = bytes[at + 5]!;
  high |= f;
  if (length === 6) return high < 128 ? fromCodes(a, b, c, d, e, f) : bytes.utf8Slice(at, at + length);
  const g = bytes[at + 6]!;
  high |= g;
  if (length === 7) return high < 128 ? fromCodes(a, b, c, d, e, f, g) : bytes.utf8Slice(at, at + length);
  const h = bytes[at + 7]!;
  high |= h;
  if (length === 8) return high < 128 ? fromCodes(a, b, c, d, e, f, g, h) : bytes.utf8Slice(at, at + length);
  const i = bytes[at + 8]!;
  high |= i;
  if (length === 9)
    return high < 128 ? fromCodes(a, b, c, d, e, f, g, h, i) : bytes.utf8Slice(at, at + length);
  const j = bytes[at + 9]!;
  high |= j;
  if (length === 10)
    return high < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j) : bytes.utf8Slice(at, at + length);
  const k = bytes[at + 10]!;
  high |= k;
  if (length === 11)
    return high < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k) : bytes.utf8Slice(at, at + length);
  const l = bytes[at + 11]!;
  high |= l;
  if (length === 12)
    return high < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l) : bytes.utf8Slice(at, at + length);
  const m = bytes[at + 12]!;
  high |= m;
  if (length === 13)
    return high < 128 ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m) : bytes.utf8Slice(at, at + length);
  const n = bytes[at + 13]!;
  high |= n;
  if (length === 14)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n)
      : bytes.utf8Slice(at, at + length);
  const o = bytes[at + 14]!;
  high |= o;
  if (length === 15)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
      : bytes.utf8Slice(at, at + length);
  const p = bytes[at + 15]!;
  high |= p;
  if (length === 16)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
      : bytes.utf8Slice(at, at + length);
  const q = bytes[at + 16]!;
  high |= q;
  if (length === 17)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
      : bytes.utf8Slice(at, at + length);
  const r = bytes[at + 17]!;
  high |= r;
  if (length === 18)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r)
      : bytes.utf8Slice(at, at + length);
  const t = bytes[at + 18]!;
  high |= t;
  if (length === 19)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, t)
      : bytes.utf8Slice(at, at + length);
  const u = bytes[at + 19]!;
  high |= u;
  if (length === 20)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, t, u)
      : bytes.utf8Slice(at, at + length);
  const v = bytes[at + 20]!;
  high |= v;
  if (length === 21)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, t, u, v)
      : bytes.utf8Slice(at, at + length);
  const w = bytes[at + 21]!;
  high |= w;
  if (length === 22)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, t, u, v, w)
      : bytes.utf8Slice(at, at + length);
  const x = bytes[at + 22]!;
  high |= x;
  if (length === 23)
    return high < 128
      ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, t, u, v, w, x)
      : bytes.utf8Slice(at, at + length);
  const y = bytes[at + 23]!;
  high |= y;
  return high < 128
    ? fromCodes(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, t, u, v, w, x, y)
    : bytes.utf8Slice(at, at + length);
}
