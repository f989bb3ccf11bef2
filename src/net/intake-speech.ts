/** Tells from a connection's first bytes which part of the server it is for. */

/**
 * - `tls`: a ClientHello.
 * - `http`: a request line of HTTP/1.
 * - `http2`: HTTP/2 without asking first, which is not served.
 * - `thrift`: anything else; whether it is Thrift the cutters find out.
 */
export type Speech = "tls" | "http" | "http2" | "thrift";

const tlsHandshake = 0x16;
const tlsMajorVersion = 0x03;
/** SSL 3.0 to TLS 1.3, as the record says. */
const largestTlsMinorVersion = 0x04;

/**
 * How requests begin. No Thrift message does: its first four bytes would be the length of a frame of more than a GiB,
 * or they are none of these letters.
 */
const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"];
const requests: readonly Buffer[] = methods.map((method) => Buffer.from(`${method} `));
const http2Preface: Buffer = Buffer.from("PRI * HTTP/2");

/** What a connection that begins with `head` speaks, or undefined while that is too little to tell. */
export function recogniseSpeech(head: Buffer): Speech | undefined {
  const first = head[0];
  if (first === undefined) return undefined;
  if (first === tlsHandshake) return recogniseTls(head);
  // Capital letters only: the common case is decided by one look.
  if (first < 0x41 || first > 0x5a) return "thrift";
  if (beginsWith(head, http2Preface)) return head.length >= http2Preface.length ? "http2" : undefined;
  for (const request of requests) {
    if (beginsWith(head, request)) return head.length >= request.length ? "http" : undefined;
  }
  return "thrift";
}

function recogniseTls(head: Buffer): Speech | undefined {
  if (head.length < 3) return head.length === 2 && head[1] !== tlsMajorVersion ? "thrift" : undefined;
  return head[1] === tlsMajorVersion && head[2]! <= largestTlsMinorVersion ? "tls" : "thrift";
}

/** Whether one of them is the beginning of the other. */
function beginsWith(head: Buffer, expected: Buffer): boolean {
  const length = Math.min(head.length, expected.length);
  return head.compare(expected, 0, length, 0, length) === 0;
}
