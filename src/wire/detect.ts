/**
 * Tells protocol and transport from a connection's first bytes. This is the seam for every further
 * protocol: a new one is a new row here and a cutter.
 */
import { FramedCutter } from "./framed-cutter.ts";
import { type Cutter, WireError, type WireLimits } from "./message.ts";
import { UnframedBinaryCutter } from "./unframed-cutter.ts";

/** What first bytes are needed at most to tell. */
export const detectionBytes = 8;

/**
 * The cutter for a connection that begins with `bytes[start, end)`, or undefined while that is too
 * little to tell.
 *
 * @throws {WireError} kind `unknown-protocol` when no supported client begins like that
 */
export function detectCutter(
  bytes: Buffer,
  start: number,
  end: number,
  limits: WireLimits,
): Cutter | undefined {
  const length = end - start;
  if (length < 1) return undefined;
  const first = bytes[start]!;
  if (first === 0x80) return detectUnframedStrict(bytes, start, length, limits);
  // A frame length or an old binary name length: both begin with a zero byte below 16 MiB.
  if (first > maxFirstLengthByte(limits)) throw unknownProtocol(bytes, start, end);
  if (length < 5) return undefined;
  const fifth = bytes[start + 4]!;
  if (fifth === 0x80 || fifth === 0x00) return new FramedCutter("binary", limits);
  if (fifth === 0x82) return new FramedCutter("compact", limits);
  if (isNameByte(fifth) && first === 0) return new UnframedBinaryCutter(limits);
  throw unknownProtocol(bytes, start, end);
}

function detectUnframedStrict(
  bytes: Buffer,
  start: number,
  length: number,
  limits: WireLimits,
): Cutter | undefined {
  if (length < 2) return undefined;
  if (bytes[start + 1] === 0x01) return new UnframedBinaryCutter(limits);
  throw unknownProtocol(bytes, start, start + length);
}

function maxFirstLengthByte(limits: WireLimits): number {
  return Math.min(0x7f, limits.maxFrameSizeBytes >>> 24);
}

/** Letters and the underscore: how a Thrift method's name begins. */
function isNameByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f;
}

function unknownProtocol(bytes: Buffer, start: number, end: number): WireError {
  const seen = bytes.subarray(start, Math.min(end, start + detectionBytes)).toString("hex");
  return new WireError("unknown-protocol", `no Thrift protocol begins with the bytes ${seen}`);
}
