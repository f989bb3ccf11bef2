/** Connections that made one call each and then are only held open. */
import { createConnection, type Socket } from "node:net";
import type { Exchange } from "./messages.ts";

export interface HeldConnections {
  readonly count: number;
  /** How many the server has closed. */
  readonly lost: number;
  close(): void;
}

const replyTimeoutMs = 10_000;
/** How many connect at the same time: fewer than any server's accept queue holds. */
const atOnce = 100;

/**
 * Opens connections to a port of 127.0.0.1 and makes one call on each, so that the server has accepted it
 * and has allocated for it what it allocates for a connection that is in use.
 */
export async function openConnections(
  port: number,
  count: number,
  exchange: Exchange,
): Promise<HeldConnections> {
  const sockets: Socket[] = [];
  let lost = 0;
  const open = async (index: number): Promise<void> => {
    const socket = createConnection({ host: "127.0.0.1", port, localAddress: sourceAddress(index) });
    sockets.push(socket);
    await callOnce(socket, exchange.requests);
    socket.on("error", () => {});
    socket.on("close", () => lost++);
  };
  const close = () => {
    for (const socket of sockets) socket.destroy();
  };
  try {
    for (let from = 0; from < count; from += atOnce) {
      const batch = Math.min(atOnce, count - from);
      await Promise.all(Array.from({ length: batch }, (_, i) => open(from + i)));
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    count,
    get lost() {
      return lost;
    },
    close,
  };
}

/** Sends one framed message and resolves with the framed reply; rejects after 10 s or when the socket closes. */
export function callOnce(socket: Socket, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let reply = Buffer.alloc(0);
    const end = (error?: Error) => {
      clearTimeout(timer);
      socket.off("error", end).off("close", onClose).off("data", onData);
      // Without this, the next bytes would wait for a listener and keep "close" from coming.
      socket.resume();
      if (error === undefined) resolve(reply);
      else reject(error);
    };
    const onClose = () => end(new Error("the server closed the connection instead of answering"));
    const onData = (chunk: Buffer) => {
      reply = Buffer.concat([reply, chunk]);
      if (reply.length >= 4 && reply.length >= 4 + reply.readUInt32BE(0)) end();
    };
    const timer = setTimeout(() => end(new Error(`no reply within ${replyTimeoutMs} ms`)), replyTimeoutMs);
    socket.on("error", end).on("close", onClose).on("data", onData);
    socket.write(request);
  });
}

/** Several loopback sources, for one has fewer than 30,000 ports to connect from. */
function sourceAddress(index: number): string {
  return `127.0.0.${2 + Math.floor(index / 5000)}`;
}
