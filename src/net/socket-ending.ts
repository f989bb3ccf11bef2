/**
 * How a connection leaves its socket: FIN behind what was written, then reading on and throwing away what
 * comes, until the peer closes too or a bound is reached. Closing earlier makes the kernel reset the
 * connection, and a reset destroys replies that the peer has not read.
 */
import type { Socket } from "node:net";

/** Sends FIN and discards what still comes; cuts the peer off that sends more than `maxDiscardedBytes`. */
export function endSocket(socket: Socket, maxDiscardedBytes: number): void {
  let discardedBytes = 0;
  socket.removeAllListeners("data");
  socket.on("data", (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > maxDiscardedBytes) socket.destroy();
  });
  socket.end();
  socket.resume();
}

/** A listener for errors of sockets: what follows from one is seen by "close". */
export function ignoreError(): void {}
