/** What the readers of message headers have in common. */
import { type MessageView, WireError } from "./message.ts";

/** Names are identifiers, `service:method` at most; anything longer is no Thrift. */
export const maxNameBytes = 1024;

/** Reads a header at `view.start` out of `view.bytes[…, end)`. */
export type HeaderReader = (view: MessageView, end: number) => boolean;

/** Refuses names that no method can have. */
export function checkNameLength(length: number): void {
  if (length <= 0 || length > maxNameBytes) {
    throw new WireError("bad-header", `a method name of ${length} bytes; 1 to ${maxNameBytes} are allowed`);
  }
}
