/** Makes a connection, over TCP, TLS or a Unix domain socket, and tells what becomes of it. */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Address } from "./address.ts";
import type { LinkSettings } from "./link.ts";

/** Hears of a socket. */
export interface SocketEvents {
  /** The connection stands, TLS included. */
  opened(): void;
  /** @param borrowed whether the chunk is the reader's own, valid only now */
  read(chunk: Buffer, borrowed: boolean): void;
  /** The kernel has taken what was written. */
  writable(): void;
  /** It could not be made, was closed, or broke. Told more than once. */
  ended(cause: unknown): void;
}

/** All sockets read into one buffer: what came is handled before the next read. */
let sharedRead: Buffer | undefined;
const sharedReadBytes = 256 * 1024;

export function openSocket(
  { connect, servername }: Address,
  { tls, connectTimeoutMs }: LinkSettings,
  events: SocketEvents,
): Socket {
  const socket =
    tls === undefined
      ? connectPlain({ ...connect, noDelay: true, onread: readInto(events) })
      : connectTls({ ...connect, ...(servername === undefined ? {} : { servername }), ...tls });
  // Before the connection stands nothing comes, and a socket's own time-out is about silence.
  const tooLate = (): void => events.ended(new Error(`no connection within ${connectTimeoutMs} ms`));
  socket.setTimeout(connectTimeoutMs, tooLate);
  socket.once(tls === undefined ? "connect" : "secureConnect", () => {
    socket.setTimeout(0, tooLate);
    if (tls !== undefined) socket.setNoDelay(true);
    events.opened();
  });
  if (tls !== undefined) socket.on("data", (chunk: Buffer) => events.read(chunk, false));
  socket.on("drain", () => events.writable());
  socket.on("end", () => events.ended(new Error("the server closed the connection")));
  socket.on("error", (error) => events.ended(error));
  socket.on("close", () => events.ended(new Error("the connection was closed")));
  return socket;
}

function readInto(events: SocketEvents): { buffer: Buffer; callback: (size: number) => boolean } {
  sharedRead ??= Buffer.allocUnsafeSlow(sharedReadBytes);
  const buffer = sharedRead;
  return {
    buffer,
    callback: (size) => {
      events.read(buffer.subarray(0, size), true);
      return true;
    },
  };
}
