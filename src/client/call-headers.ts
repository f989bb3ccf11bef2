/** Whether a call's info headers can be sent: what is wrong with them shall fail their call only, and at once. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { ClientTransport } from "./link.ts";

/** THeader counts its header in words, in 16 bits; some of it is the client's own. */
const mostBytes = 4 * 0xffff - 256;
/** Numbers before each text. */
const lengthBytes = 5;

/** @throws {TypeError} that says which header can't be sent, and why */
export function checkHeaders(transport: ClientTransport, headers: Readonly<Record<string, string>>): void {
  if (transport !== "header" && transport !== "http") return;
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string") throw new TypeError(`${JSON.stringify(name)} is no string`);
    if (transport === "http") {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } else bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 2 * lengthBytes;
  }
  if (bytes > mostBytes) throw new TypeError(`they take ${bytes} bytes; ${mostBytes} are allowed`);
}
