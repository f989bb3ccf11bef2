/**
 * Header blocks: the info headers of a call as bytes, in the form in which THeader has them. They travel to the
 * workers in front of the message, whatever transport they came by, and are read there only when they are asked for.
 *
 * ```
 * block    {kind count {key value}}
 * key      length bytes                  every number a varint
 * ```
 * Kind 0 ends the block (padding); an unknown kind does too, as its form is not known.
 */
import { WireError } from "./message.ts";
import { pushVarint, readVarint, varint } from "./varint.ts";

/** Kinds of info headers. */
export const InfoKind = {
  KEY_VALUE: 1,
  /** Count for all later calls of the connection too. Apache's libraries know none, fbthrift's do. */
  PERSISTENT: 2,
} as const;

/** Takes one header: where its key and its value lie. */
export type VisitHeader = (
  kind: number,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
) => void;

/**
 * Visits the headers of the block `bytes[start, end)`.
 *
 * @throws {WireError} kind `bad-info-headers` when a header reaches beyond the block
 */
export function visitHeaders(bytes: Buffer, start: number, end: number, visit: VisitHeader): void {
  let at = start;
  while (at < end) {
    at = number(bytes, at, end);
    const kind = varint;
    if (kind !== InfoKind.KEY_VALUE && kind !== InfoKind.PERSISTENT) return;
    at = number(bytes, at, end);
    for (let left = varint; left > 0; left--) {
      const keyStart = sized(bytes, at, end);
      const keyEnd = keyStart + varint;
      const valueStart = sized(bytes, keyEnd, end);
      at = valueStart + varint;
      visit(kind, keyStart, keyEnd, valueStart, at);
    }
  }
}

/**
 * The headers of a block. Of several with one key the last one counts.
 *
 * @throws {WireError} as `visitHeaders`
 */
export function readHeaderBlock(block: Buffer): Record<string, string> {
  const headers: [string, string][] = [];
  visitHeaders(block, 0, block.length, (_kind, keyStart, keyEnd, valueStart, valueEnd) => {
    headers.push([block.toString("utf8", keyStart, keyEnd), block.toString("utf8", valueStart, valueEnd)]);
  });
  return Object.fromEntries(headers);
}

/** A block of these headers; empty when there are none. */
export function writeHeaderBlock(headers: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [];
  for (const pair of headers) {
    for (const text of pair) {
      const bytes = Buffer.from(text, "utf8");
      parts.push(varintBytes(bytes.length), bytes);
    }
  }
  if (parts.length === 0) return Buffer.alloc(0);
  return Buffer.concat([varintBytes(InfoKind.KEY_VALUE), varintBytes(parts.length / 4), ...parts]);
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  pushVarint(bytes, value);
  return Buffer.from(bytes);
}

function number(bytes: Buffer, at: number, end: number): number {
  const next = readVarint(bytes, at, end);
  if (next < 0) throw new WireError("bad-info-headers", "the info headers end inside a number");
  return next;
}

/** Reads a length and checks that so many bytes follow. Leaves it in `varint`. */
function sized(bytes: Buffer, at: number, end: number): number {
  const next = number(bytes, at, end);
  if (varint < 0 || varint > end - next) {
    throw new WireError("bad-info-headers", "an info header reaches beyond its message's header");
  }
  return next;
}
