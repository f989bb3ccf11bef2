/** THeader in a few lines, written without the server's own code: see `binary.ts`. */
import { inflateSync } from "node:zlib";

/** A frame as it was read. */
export interface TheaderFrame {
  readonly flags: number;
  readonly seqid: number;
  readonly protocolId: number;
  readonly transforms: readonly number[];
  readonly headers: Readonly<Record<string, string>>;
  /** The message, untransformed. */
  readonly payload: Buffer;
  /** How many bytes it took, its length included. */
  readonly length: number;
}

/** Reads the frame at `from`. Undefined while it is not whole. */
export function decodeTheader(buffer: Buffer, from = 0): TheaderFrame | undefined {
  if (buffer.length < from + 4) return undefined;
  const length = 4 + buffer.readInt32BE(from);
  if (buffer.length < from + length) return undefined;
  const frame = buffer.subarray(from, from + length);
  if (frame.readUInt16BE(4) !== 0x0fff) throw new Error(`no THeader: ${frame.toString("hex", 0, 20)}`);
  const payloadAt = 14 + 4 * frame.readUInt16BE(12);
  let at = 14;
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = frame[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const text = (): string => {
    const size = varint();
    at += size;
    return frame.toString("utf8", at - size, at);
  };
  const protocolId = varint();
  const transforms = Array.from({ length: varint() }, varint);
  const headers: Record<string, string> = {};
  while (at < payloadAt && varint() === 1) {
    for (let left = varint(); left > 0; left--) {
      const key = text();
      headers[key] = text();
    }
  }
  const payload = transforms.reduce((bytes: Buffer) => inflateSync(bytes), frame.subarray(payloadAt));
  return {
    flags: frame.readUInt16BE(6),
    seqid: frame.readInt32BE(8),
    protocolId,
    transforms,
    headers,
    payload,
    length,
  };
}
