/**
 * Reads accepted sockets into one buffer that all connections share. By default Node makes a buffer of
 * 64 KiB for every read, which the garbage collector has to clear away; its option `onread` avoids that,
 * but can be given for sockets only that a program makes itself, not for those of a server. So what
 * `onread` sets on a socket is set here. Where Node's inside looks different one day, sockets are read
 * in the usual way.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** Takes what was read. A shared chunk is valid during the call only. */
export type TakeChunk = (chunk: Buffer, shared: boolean) => void;

/** Large enough for a message of 64 KiB in one read, and not larger than what fits into a lane's ring. */
const sharedBytes = 256 * 1024;

interface Keys {
  readonly buffer: symbol;
  readonly callback: symbol;
}

interface Handle {
  useUserBuffer?(buffer: Buffer): void;
}

/** Made when the first connection comes. */
let shared: { readonly keys: Keys | undefined; readonly buffer: Buffer } | undefined;

/**
 * Gives all that `socket` reads from now on to `take`, without a way back. It may have been read in the usual way
 * before, if it holds nothing of that and nobody listens to its data any longer. Sockets of TLS and other streams go
 * on to be read in the usual way.
 */
export function readShared(socket: Duplex, take: TakeChunk): void {
  shared ??= { keys: findKeys(), buffer: Buffer.allocUnsafeSlow(sharedBytes) };
  const { keys, buffer } = shared;
  const handle = (socket as unknown as { _handle?: Handle | null })._handle;
  if (keys === undefined || typeof handle?.useUserBuffer !== "function" || socket instanceof TLSSocket) {
    socket.on("data", (chunk: Buffer) => take(chunk, false));
    return;
  }
  Object.assign(socket, {
    [keys.buffer]: buffer,
    [keys.callback]: (size: number) => take(buffer.subarray(0, size), true),
  });
  handle.useUserBuffer(buffer);
  // A stream that gave something asks for more by itself, paused or not, unless a read is under way: this one is for
  // ever, since nothing comes through the stream any more but its end.
  socket.read(0);
}

/** Where a socket made with `onread` keeps its buffer and its callback. */
function findKeys(): Keys | undefined {
  const buffer = Buffer.alloc(1);
  const callback = (): boolean => true;
  const probe = new Socket({ onread: { buffer, callback } });
  const fields = probe as unknown as Record<symbol, unknown>;
  const keyOf = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(probe).find((key) => fields[key] === value);
  const keys = { buffer: keyOf(buffer), callback: keyOf(callback) };
  probe.destroy();
  return keys.buffer === undefined || keys.callback === undefined ? undefined : (keys as Keys);
}
