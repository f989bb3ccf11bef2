/** How much of what was written to a socket its peer has not made room for. */
import type { Duplex } from "node:stream";

interface Handle {
  /** Bytes of the write that is under way which the kernel has not taken. */
  readonly writeQueueSize?: number;
}

/**
 * Bytes that wait in front of the kernel; 0 when nothing does. The figure gets smaller with every byte that the
 * kernel takes: `writableLength` alone stays as it is until a write is complete.
 */
export function unreadBytesOf(socket: Duplex): number {
  if (socket.writableLength === 0) return 0;
  const handle = (socket as unknown as { _handle?: Handle | null })._handle;
  return socket.writableLength + (handle?.writeQueueSize ?? 0);
}
