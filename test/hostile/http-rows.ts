/** HTTP, and the WebSockets that it becomes. */
import { maxFrame, type Row, row } from "./row.ts";
import { good, hex, http, join, webSocketFrame, webSocketHead, zlibTheader } from "./wire.ts";

/** Requests of HTTP. */
export const httpRows: readonly Row[] = [
  row("http: a length of -1", "http", "http 400 closed", http("", "Content-Length: -1")),
  row(
    "http: a length above maxFrameSize",
    "http",
    "http 413 closed",
    http("", "Content-Length: 99999999999"),
  ),
  row("http: two lengths", "http", "http 400 closed", http("abc", "Content-Length: 3", "Content-Length: 4")),
  row(
    "http: a length and chunks",
    "http",
    "http 400 closed",
    http("0\r\n\r\n", "Content-Length: 3", "Transfer-Encoding: chunked"),
  ),
  row("http: chunks that are none", "http", "http 400 closed", http("zz\r\n", "Transfer-Encoding: chunked")),
  row(
    "http: a chunk of 2^64 bytes",
    "http",
    "http 400 closed",
    http("10000000000000000\r\n", "Transfer-Encoding: chunked"),
  ),
  row(
    "http: chunks above maxFrameSize",
    "http",
    "http 413 closed",
    http(join("200000\r\n", Buffer.alloc(0x200000)), "Transfer-Encoding: chunked"),
  ),
  row(
    "http: 10,000 chunks of a byte",
    "http",
    "http 400 closed",
    http(`${"1\r\nx\r\n".repeat(10_000)}0\r\n\r\n`, "Transfer-Encoding: chunked"),
  ),
  row("http: headers of 32 KiB", "http", "http 431 closed", http("", `X: ${"x".repeat(32_768)}`)),
  row(
    "http: a head that never ends",
    "http",
    "http 408 closed",
    Buffer.from("POST / HTTP/1.1\r\nHost: x\r\n"),
  ),
  row("http: a body that never comes", "http", "http 408 closed", http("abc", "Content-Length: 100")),
  row("http: a body without a byte", "http", "http 400 closed", http("")),
  row("http: a body of noise", "http", "http 400 closed", http(Buffer.alloc(100, 0xfe))),
  row("http: two messages in a body", "http", "http 400 closed", http(join(good("binary"), good("binary")))),
  row("http: half a message in a body", "http", "http 400 closed", http(good("binary").subarray(0, 20))),
  row("http: a reply in a body", "http", "http 400 closed", http(good("binary", { type: 2 }))),
  row(
    "http: a zlib bomb in a THeader in a body",
    "http",
    "http 400 closed",
    http(zlibTheader(Buffer.alloc(64 << 20))),
  ),
  row("http: a tab behind the method", "http", "closed", Buffer.from("GET\t/ HTTP/1.1\r\n\r\n")),
  row("http: DELETE", "http", "http 405 open", Buffer.from("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n")),
  row("http: CONNECT", "http", "http 405 closed", Buffer.from("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n")),
  row(
    "http: a form",
    "http",
    "http 415 open",
    Buffer.from(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
    ),
  ),
  row(
    "http: a page of another origin",
    "http",
    "http 403 open",
    http("", "Origin: http://evil.example", "Content-Length: 0"),
  ),
  row("http: a version that nobody knows", "http", "http 400 closed", Buffer.from("GET / HTTP/9.9\r\n\r\n")),
  row(
    "http: a line feed in a header",
    "http",
    "http 400 closed",
    http("", "A: b\rC: d", "Content-Length: 0"),
  ),
  row(
    "http: an upgrade to nothing",
    "http",
    "http 400 closed",
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
  ),
];

/** Frames behind the upgrade of a WebSocket. */
export const ws = (...frames: Buffer[]): Buffer => join(webSocketHead, ...frames);
/** WebSockets. */
export const webSocketRows: readonly Row[] = [
  row(
    "websocket: a message of 2^63 bytes",
    "websocket",
    "ws 1009 closed",
    ws(webSocketFrame(0x82, "", 2n ** 63n)),
  ),
  row(
    "websocket: a message of 2^53 bytes",
    "websocket",
    "ws 1009 closed",
    ws(webSocketFrame(0x82, "", 2n ** 53n)),
  ),
  row(
    "websocket: a message above maxFrameSize",
    "websocket",
    "ws 1009 closed",
    ws(webSocketFrame(0x82, "", BigInt(maxFrame + 1))),
  ),
  row(
    "websocket: fragments above maxFrameSize",
    "websocket",
    "ws 1009 closed",
    ws(
      webSocketFrame(0x02, Buffer.alloc(600_000).toString("latin1")),
      webSocketFrame(0x00, Buffer.alloc(600_000).toString("latin1")),
    ),
  ),
  row(
    "websocket: 20,000 fragments without a byte",
    "websocket",
    "ws 1008 closed",
    ws(webSocketFrame(0x02, ""), ...Array.from({ length: 20_000 }, () => webSocketFrame(0x00, ""))),
  ),
  row("websocket: bits that are reserved", "websocket", "ws 1002 closed", ws(webSocketFrame(0xf2, "x"))),
  row("websocket: an opcode that is reserved", "websocket", "ws 1002 closed", ws(webSocketFrame(0x83, "x"))),
  row("websocket: a frame that is not masked", "websocket", "ws 1002 closed", ws(hex("82 01 00"))),
  row(
    "websocket: a ping of 126 bytes",
    "websocket",
    "ws 1002 closed",
    ws(webSocketFrame(0x89, "x".repeat(126))),
  ),
  row("websocket: a ping in fragments", "websocket", "ws 1002 closed", ws(webSocketFrame(0x09, "x"))),
  row("websocket: a continuation of nothing", "websocket", "ws 1002 closed", ws(webSocketFrame(0x80, "x"))),
  row(
    "websocket: text that is no UTF-8",
    "websocket",
    "ws 1007 closed",
    ws(webSocketFrame(0x81, "\xff\xfe")),
  ),
  row("websocket: text that is no message", "websocket", "ws 1003 closed", ws(webSocketFrame(0x81, "hello"))),
  row(
    "websocket: a binary message of noise",
    "websocket",
    "ws 1007 closed",
    ws(webSocketFrame(0x82, "\xfe".repeat(50))),
  ),
  row("websocket: an empty message", "websocket", "ws 1007 closed", ws(webSocketFrame(0x82, ""))),
  row(
    "websocket: two calls in one message",
    "websocket",
    "ws 1007 closed",
    ws(webSocketFrame(0x82, join(good("binary"), good("binary")).toString("latin1"))),
  ),
  row(
    "websocket: a reply",
    "websocket",
    "ws 1007 closed",
    ws(webSocketFrame(0x82, good("binary", { type: 2 }).toString("latin1"))),
  ),
  row(
    "websocket: a close code that nobody may send",
    "websocket",
    "ws 1002 closed",
    ws(webSocketFrame(0x88, "\x03\xed")),
  ),
  row(
    "websocket: a message that never ends",
    "websocket",
    "ws 1008 closed",
    ws(webSocketFrame(0x82, "abc", 100n)),
  ),
];
