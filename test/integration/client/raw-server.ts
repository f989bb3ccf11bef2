/** Servers that do with each connection what a test says, and the framed binary messages that they speak. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A server that does with each connection what the test says. */
export async function serveRaw(
  t: TestContext,
  connected: (socket: Socket, count: number) => void,
): Promise<number> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    connected(socket, ++count);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as { port: number }).port;
}

/** A call as it came. */
export interface RawCall {
  readonly name: string;
  readonly seqid: number;
}

/** Cuts framed binary calls out of what comes. */
export function readCalls(socket: Socket, called: (call: RawCall) => void): void {
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const message = rest.subarray(4, 4 + rest.readInt32BE(0));
      rest = rest.subarray(4 + message.length);
      const nameEnd = 8 + message.readInt32BE(4);
      called({ name: message.toString("utf8", 8, nameEnd), seqid: message.readInt32BE(nameEnd) });
    }
  });
}

/** The framed answer to a call: 42, which does for `add` and for `getStatus`. */
export function answerTo({ name, seqid }: RawCall): Buffer {
  return framed(2, name, seqid, Buffer.from([8, 0, 0, 0, 0, 0, 42, 0]));
}

/** A framed TApplicationException, INTERNAL_ERROR. */
export function exceptionTo({ name, seqid }: RawCall, text: string): Buffer {
  const words = Buffer.from(text);
  const body = Buffer.concat([
    Buffer.from([11, 0, 1]),
    int32(words.length),
    words,
    Buffer.from([8, 0, 2]),
    int32(6),
    Buffer.from([0]),
  ]);
  return framed(3, name, seqid, body);
}

function framed(type: number, name: string, seqid: number, body: Buffer): Buffer {
  const message = Buffer.concat([
    Buffer.from([0x80, 1, 0, type]),
    int32(name.length),
    Buffer.from(name),
    int32(seqid),
    body,
  ]);
  return Buffer.concat([int32(message.length), message]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
