/** Messages laid out by hand, so that every part of them can be wrong. */
import { deflateSync } from "node:zlib";

export type Protocol = "binary" | "compact" | "json";
export const protocols: readonly Protocol[] = ["binary", "compact", "json"];

/** What of a message's head is to be unlike it should be. */
export interface HeadOptions {
  readonly name?: string;
  readonly type?: number;
  readonly seqid?: number;
  /** The version, in the protocol's own place for it. */
  readonly version?: number;
  /** Instead of the name's length. */
  readonly nameBytes?: number;
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ""), "hex");
}

export function join(...parts: (Buffer | string | number)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === "number"
        ? Buffer.from([part])
        : typeof part === "string"
          ? Buffer.from(part, "latin1")
          : part,
    ),
  );
}

export function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export function framed(message: Buffer, length: number = message.length): Buffer {
  return join(i32(length), message);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A message whose arguments are `body`: all that stands behind the seqid (in JSON: the object). */
export function message(protocol: Protocol, body: Buffer | string, options: HeadOptions = {}): Buffer {
  const { name = "echo", type = 1, seqid = 7 } = options;
  const nameBytes = options.nameBytes ?? name.length;
  switch (protocol) {
    case "binary":
      return join(i32(((options.version ?? 0x8001) << 16) | type), i32(nameBytes), name, i32(seqid), body);
    case "compact":
      return join(
        0x82,
        (options.version ?? 1) | ((type & 7) << 5),
        varint(seqid),
        varint(nameBytes),
        name,
        body,
      );
    case "json":
      return join(`[${options.version ?? 1},"${name}",${type},${seqid},`, body, "]");
  }
}

/** A body that fits the method `echo`. */
export function goodBody(protocol: Protocol): Buffer {
  switch (protocol) {
    case "binary":
      return join(hex("0b 0001"), i32(2), "hi", 0);
    case "compact":
      return join(0x18, varint(2), "hi", 0);
    case "json":
      return Buffer.from('{"1":{"str":"hi"}}');
  }
}

export function good(protocol: Protocol, options: HeadOptions = {}): Buffer {
  return message(protocol, goodBody(protocol), options);
}

/** A THeader around a message. */
export function theader(payload: Buffer, header: Buffer = hex("00 00"), words?: number): Buffer {
  const padded = join(header, Buffer.alloc((4 - (header.length % 4)) % 4));
  const fixed = hex("0fff 0000 00000007 0000");
  fixed.writeUInt16BE(words ?? padded.length / 4, 8);
  return framed(join(fixed, padded, payload));
}

/** A THeader with a zlib transform. */
export function zlibTheader(message: Buffer, times = 1): Buffer {
  let payload = message;
  for (let left = times; left > 0; left--) payload = deflateSync(payload);
  return theader(payload, Buffer.from([0, times, ...Array.from({ length: times }, () => 1)]));
}

export function http(body: Buffer | string, ...headers: string[]): Buffer {
  const given = headers.length > 0 ? headers : [`Content-Length: ${body.length}`];
  return join(
    ["POST / HTTP/1.1", "Host: x", "Content-Type: application/x-thrift", ...given, "", ""].join("\r\n"),
    body as Buffer,
  );
}

export const webSocketHead: string = [
  "GET / HTTP/1.1",
  "Host: x",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "",
  "",
].join("\r\n");

/** A masked frame of a WebSocket. @param length instead of the payload's */
export function webSocketFrame(first: number, payload: Buffer | string, length?: bigint): Buffer {
  const bytes = Buffer.from(payload as string, "latin1");
  const size = length ?? BigInt(bytes.length);
  const head = Buffer.alloc(size < 126n ? 2 : size < 65536n ? 4 : 10);
  head[0] = first;
  if (size < 126n) head[1] = 0x80 | Number(size);
  else if (size < 65536n) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(Number(size), 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(size, 2);
  }
  return join(head, i32(0), bytes);
}
