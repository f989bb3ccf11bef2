/** Whether a reply is what a client can read. Nothing of the server's own readers is used. */
import { inflateSync } from "node:zlib";
import type { Call } from "../../src/calls/call.ts";
import { decodeMessage } from "../support/binary.ts";
import { decodeTheader } from "../support/theader.ts";
import { packageCodec } from "../unit/wire/codec-support/package-codec.ts";

const framedBit = 0x10;
const zlibBit = 0x20;
const structType = 12;

/** @throws when the reply of a call is not well formed, or not that call's */
export function checkReply(reply: Buffer, call: Call): void {
  let message = reply;
  if (call.envelope !== null && (call.replyForm & framedBit) === 0 && reply.readUInt16BE(4) === 0x0fff) {
    const frame = decodeTheader(reply);
    if (frame === undefined || frame.length !== reply.length) throw new Error("a THeader of another length");
    message = frame.payload;
  } else if ((call.replyForm & zlibBit) !== 0) message = inflateSync(reply);
  if ((call.replyForm & framedBit) !== 0) {
    if (message.readInt32BE() !== message.length - 4) throw new Error("a frame of another length");
    message = message.subarray(4);
  }
  const { type, seqid, name } = read(message, call.replyForm & 0x0f);
  if (type !== 2 && type !== 3) throw new Error(`a reply of type ${type}`);
  if ((seqid | 0) !== call.seqid) throw new Error(`a reply to call ${seqid}, not to ${call.seqid}`);
  const { name: asked, index } = call.method!;
  if (index >= 0 && name !== asked) throw new Error(`a reply of ${name}, not of ${asked}`);
}

interface Head {
  readonly type: number;
  readonly seqid: number;
  readonly name: string;
}

function read(message: Buffer, protocol: number): Head {
  if (protocol === 0) {
    const head = decodeMessage(message);
    if (head?.length !== message.length) throw new Error("a binary reply of another length");
    return head;
  }
  if (protocol === 1) {
    const input = packageCodec("compact").reader(message);
    const { mtype, rseqid, fname } = input.readMessageBegin();
    input.skip(structType);
    return { type: mtype, seqid: rseqid, name: fname };
  }
  const parsed = JSON.parse(message.toString("utf8")) as [number, string, number, number, object];
  if (parsed.length !== 5 || parsed[0] !== 1 || typeof parsed[4] !== "object")
    throw new Error("no JSON reply");
  return { type: parsed[2], seqid: parsed[3], name: parsed[1] };
}

/** The type of the message, read again. The server takes numbers of JSON with zeros in front. */
export function typeOfCall(message: Buffer, protocol: number): number {
  if (protocol === 1) return message[1]! >> 5;
  if (protocol === 2)
    return Number(
      /^\s*\[\s*0*1\s*,\s*"(?:[^"\\]|\\[\s\S])*"\s*,\s*(-?\d+)/.exec(message.toString("latin1"))?.[1],
    );
  return message[0]! >= 0x80 ? message[3]! : message[4 + message.readInt32BE()]!;
}

/**
 * How many calls a connection of framed binary messages makes, by its own account: whole frames whose headers are
 * those of calls, up to the first that is not. Undefined when it begins with something else than such a frame.
 */
export function framedBinaryCalls(bytes: Buffer, maxFrameSizeBytes: number): number | undefined {
  let calls = 0;
  for (let at = 0; at + 4 <= bytes.length; calls++) {
    const length = bytes.readInt32BE(at);
    if (length <= 0 || length > maxFrameSizeBytes || at + 4 + length > bytes.length) return calls;
    const message = bytes.subarray(at + 4, at + 4 + length);
    if (!isBinaryCall(message)) return calls;
    at += 4 + length;
  }
  return calls;
}

function isBinaryCall(message: Buffer): boolean {
  if (message.length < 9) return false;
  const strict = message[0]! >= 0x80;
  if (strict && message.readUInt16BE() !== 0x8001) return false;
  const nameAt = strict ? 8 : 4;
  const nameBytes = message.readInt32BE(nameAt - 4);
  if (nameBytes <= 0 || nameBytes > 1024 || message.length < nameAt + nameBytes + (strict ? 4 : 5))
    return false;
  const type = strict ? message[3] : message[nameAt + nameBytes];
  return type === 1 || type === 4;
}
