/**
 * Tells protocol and transport from a connection's first bytes. This is the seam for every further
 * protocol: a new one is a new row here and a cutter.
 */
import { FramedCutter } from "./framed-cutter.ts";
import { type Cutter, WireError, type WireLimits } from "./message.ts";
import { TheaderCutter } from "./theader-cutter.ts";
import { UnframedCutter } from "./unframed-cutter.ts";

/** What first bytes are needed at most to tell. */
export const detectionBytes = 8;

const compactId = 0x82;
const compactVersion = 1;
const openBracket = 0x5b;
/** A zlib stream with the window that everybody uses; the second byte makes both a multiple of 31. */
const zlibFirst = 0x78;
const presetDictionary = 0x20;

/** How version 2 of the PROXY protocol begins. */
const proxySignature = "0d0a0d0a000d0a515549540a";

/** Whether a connection that begins with this byte is a zlib stream, or nothing that is known. */
export function mayBeZlib(first: number): boolean {
  return first === zlibFirst;
}

/**
 * The cutter for a connection that begins with `bytes[start, end)`, "zlib" when the whole connection is a zlib
 * stream, or undefined while that is too little to tell.
 *
 * @throws {WireError} kind `unknown-protocol` when no supported client begins like that
 */
export function detect(
  bytes: Buffer,
  start: number,
  end: number,
  limits: WireLimits,
): Cutter | "zlib" | undefined {
  if (end - start < 1) return undefined;
  if (!mayBeZlib(bytes[start]!)) return detectCutter(bytes, start, end, limits);
  if (end - start < 2) return undefined;
  const second = bytes[start + 1]!;
  if ((zlibFirst * 256 + second) % 31 === 0 && (second & presetDictionary) === 0) return "zlib";
  throw unknownProtocol(bytes, start, end);
}

/**
 * The cutter for bytes that begin with `bytes[start, end)` and are not compressed as a whole, or undefined
 * while that is too little to tell.
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
  if (first === openBracket) return new UnframedCutter("json", limits);
  if (first === 0x80 || first === compactId) return detectUnframed(bytes, start, end, limits);
  // A frame length or an old binary name length: both begin with a zero byte below 16 MiB.
  if (first > maxFirstLengthByte(limits)) throw unknownProtocol(bytes, start, end);
  if (length < 6) return undefined;
  const fifth = bytes[start + 4]!;
  const sixth = bytes[start + 5]!;
  if (fifth === 0x80 || fifth === 0x00) return new FramedCutter("binary", limits);
  if (fifth === compactId) return new FramedCutter("compact", limits);
  if (fifth === openBracket) return new FramedCutter("json", limits);
  if (fifth === 0x0f && sixth === 0xff) return new TheaderCutter(limits);
  if (isNameByte(fifth) && first === 0) return new UnframedCutter("binary", limits);
  throw unknownProtocol(bytes, start, end);
}

function detectUnframed(bytes: Buffer, start: number, end: number, limits: WireLimits): Cutter | undefined {
  if (end - start < 2) return undefined;
  const second = bytes[start + 1]!;
  if (bytes[start] === 0x80 && second === 0x01) return new UnframedCutter("binary", limits);
  if (bytes[start] === compactId && (second & 0x1f) === compactVersion) {
    return new UnframedCutter("compact", limits);
  }
  throw unknownProtocol(bytes, start, end);
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
  const advice = proxySignature.startsWith(seen)
    ? ": the PROXY protocol is not spoken, take send-proxy-v2 out of the balancer's configuration"
    : "";
  return new WireError("unknown-protocol", `no Thrift protocol begins with the bytes ${seen}${advice}`);
}
