/** THeader's zlib transform: every message is a zlib stream of its own. */
import { constants, deflateSync, inflateSync } from "node:zlib";
import { WireError } from "./message.ts";

/**
 * The message out of its compressed form. Never takes more memory than `maxBytes` and a little.
 *
 * @throws {WireError} when it is larger, or no zlib stream
 */
export function inflateMessage(compressed: Uint8Array, maxBytes: number): Buffer {
  try {
    return inflateSync(compressed, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new WireError(
        "frame-too-large",
        `a compressed message of more than ${maxBytes} bytes; maxFrameSize is ${maxBytes}`,
      );
    }
    throw new WireError("bad-compression", `a compressed message can't be read: ${(cause as Error).message}`);
  }
}

/** The compressed form of `bytes[start, end)`. Speed goes before size: it is done for each reply. */
export function deflateMessage(bytes: Uint8Array, start: number, end: number): Buffer {
  return deflateSync(bytes.subarray(start, end), { level: constants.Z_BEST_SPEED });
}
