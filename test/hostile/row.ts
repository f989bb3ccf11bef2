/** A row of the table of hostile bytes. */
import type { Protocol } from "./wire.ts";

/** How replies are to be read. */
export type Reading = Protocol | "theader" | "http" | "websocket" | "zlib";

/**
 * How a connection goes on. In words, one after the other:
 * - `reply`, `exception N`: one reply, of this type
 * - `http N`, `ws N`: a response with this status, a close frame with this code
 * - `closed`: the server ends it at once; `timeout`: when the rest has not come in time
 * - `open`: nothing more comes, and it stays open
 */
export interface Row {
  readonly name: string;
  readonly bytes: Buffer;
  readonly reading: Reading;
  readonly expected: string;
  /** Whether FIN follows. */
  readonly end?: boolean;
}

/** The server's maxFrameSize. */
export const maxFrame: number = 1 << 20;

/** A row of the table. */
export function row(name: string, reading: Reading, expected: string, bytes: Buffer, end = false): Row {
  return { name, reading, expected, bytes, end };
}
