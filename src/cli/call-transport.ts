/** What a transport puts around a message on a socket, and how a message is cut out of what came. */
import { inflateSync } from "node:zlib";
import type { ProtocolName } from "../wire/protocol-names.ts";
import { theaderFixedBytes, theaderMagic, theaderPrefix, zlibTransform } from "../wire/theader-envelope.ts";

/** The ways to a server. HTTP and WebSocket have connections of their own: see `call-http.ts`. */
export const transportNames = ["framed", "unframed", "header", "http", "websocket"] as const;

export type TransportName = (typeof transportNames)[number];

/** A transport on a plain socket. */
export interface SocketTransport {
  wrap(message: Buffer, protocol: ProtocolName): Buffer;
  /** The message in what came so far; undefined while it is not whole. @throws Error when it never will be one */
  cut(received: Buffer): Buffer | undefined;
}

const largestFrameBytes = 1024 * 1024 * 1024;
const frameBytes = 4;

export const socketTransports: Readonly<Record<"framed" | "unframed" | "header", SocketTransport>> = {
  framed: {
    wrap: (message) => framed(message),
    cut: (received) => frameOf(received)?.subarray(frameBytes),
  },
  unframed: {
    wrap: (message) => message,
    // Only its reader can tell where it ends.
    cut: (received) => received,
  },
  header: {
    wrap: (message, protocol) => {
      const frame = { protocol, compressed: false, flags: 0, seqid: 0, info: Buffer.alloc(0) };
      return Buffer.concat([theaderPrefix({ ...frame, sizeBytes: message.length }), message]);
    },
    cut: (received) => {
      const frame = frameOf(received);
      return frame === undefined ? undefined : messageInHeader(frame);
    },
  },
};

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(frameBytes);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/** The first frame with its length, when it is whole. */
function frameOf(received: Buffer): Buffer | undefined {
  if (received.length < frameBytes) return undefined;
  const length = received.readInt32BE(0);
  if (length < 0 || length > largestFrameBytes) throw new Error("it is no frame");
  return received.length < frameBytes + length ? undefined : received.subarray(0, frameBytes + length);
}

function messageInHeader(frame: Buffer): Buffer {
  if (frame.length < theaderFixedBytes || frame.readUInt16BE(frameBytes) !== theaderMagic) {
    throw new Error("it has no THeader");
  }
  const headerEnd = theaderFixedBytes + 4 * frame.readUInt16BE(12);
  // Protocol and count of transforms; all numbers here are below 128, so each varint is one byte.
  const transforms = frame.subarray(
    theaderFixedBytes + 2,
    theaderFixedBytes + 2 + frame[theaderFixedBytes + 1]!,
  );
  const message = frame.subarray(headerEnd);
  return transforms.includes(zlibTransform) ? inflateSync(message) : message;
}
