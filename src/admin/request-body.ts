/** Reads a request's body within a limit. */
import type { IncomingMessage } from "node:http";

/** The largest body that is kept. */
export const MAX_BODY_BYTES = 1024;

/**
 * How much of a body that is too large is read and thrown away, so that its sender gets to see the answer: closing a
 * socket with unread input resets it.
 */
const MAX_DISCARD_BYTES = 65_536;

/** What came: all of it, more than is kept, or more than is even read. The last leaves the request unread. */
export type RequestBody =
  | { readonly kind: "whole"; readonly text: string }
  | { readonly kind: "too-large" }
  | { readonly kind: "endless" };

/** Whether a request has a body, by its head. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Reads the body. Never settles when the connection is lost before its end. */
export function readBody(request: IncomingMessage): Promise<RequestBody> {
  return new Promise((resolve) => {
    const kept: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) kept.push(chunk);
      if (bytes <= MAX_DISCARD_BYTES) return;
      request.off("data", onData).pause();
      resolve({ kind: "endless" });
    };
    request.on("data", onData).once("end", () => {
      if (bytes > MAX_BODY_BYTES) resolve({ kind: "too-large" });
      else resolve({ kind: "whole", text: Buffer.concat(kept).toString("utf8") });
    });
  });
}
