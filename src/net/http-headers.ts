/** HTTP's headers as handlers see them. */
import type { IncomingMessage } from "node:http";
import { isReservedHeader } from "../wire/reserved-headers.ts";

/** The request's headers under lower-case names, repeated ones as one text. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !isReservedHeader(name))
      headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}
