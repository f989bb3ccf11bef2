/**
 * Keeps foreign web pages out. A browser lets any page open a WebSocket to, or send a simple POST to, a
 * server that only its user can reach. It says from where in `Origin`; other clients send no such header.
 */
import type { IncomingHttpHeaders } from "node:http";

/** Whether a page of another origin than the server's own, and not among `allowed`, sent this. */
export function isForeignOrigin(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** What lets a page of an allowed origin read the reply. */
export function originHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const { origin } = headers;
  return origin === undefined ? {} : { "access-control-allow-origin": origin, vary: "Origin" };
}

/** What a browser asks for before it sends a Thrift body. */
export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  if (headers.origin === undefined) return {};
  const asked = headers["access-control-request-headers"] ?? "content-type";
  return {
    ...originHeaders(headers),
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": asked,
    "access-control-max-age": "600",
  };
}
