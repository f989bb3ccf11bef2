/** Hostile bytes, and what is to become of the connection that sends them. */
import { deflateSync } from "node:zlib";
import {
  framed,
  good,
  goodBody,
  hex,
  http,
  i32,
  join,
  message,
  type Protocol,
  protocols,
  theader,
  varint,
  webSocketFrame,
  webSocketHead,
  zlibTheader,
} from "./wire.ts";

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

const maxFrame = 1 << 20;

function row(name: string, reading: Reading, expected: string, bytes: Buffer, end = false): Row {
  return { name, reading, expected, bytes, end };
}

/** Lengths of frames that can't be. */
function frameRows(): Row[] {
  const lengths = {
    zero: 0,
    "-1": -1,
    "the smallest": -(2 ** 31),
    "the largest": 2 ** 31 - 1,
    "one above maxFrameSize": maxFrame + 1,
  };
  return protocols.flatMap((protocol) => [
    ...Object.entries(lengths).flatMap(([what, length]) => [
      row(
        `framed ${protocol}: a frame's length is ${what}`,
        protocol,
        "closed",
        framed(good(protocol), length),
      ),
      row(
        `framed ${protocol}: the second frame's length is ${what}`,
        protocol,
        "reply closed",
        join(framed(good(protocol)), framed(good(protocol), length)),
      ),
    ]),
    row(
      `framed ${protocol}: the frame is one byte longer than the message, which never comes`,
      protocol,
      "timeout",
      framed(good(protocol), good(protocol).length + 1),
    ),
    row(
      `framed ${protocol}: the frame ends one byte before its message`,
      protocol,
      "exception 7 timeout",
      framed(good(protocol), good(protocol).length - 1),
    ),
    row(
      `framed ${protocol}: two messages in one frame`,
      protocol,
      "reply open",
      framed(join(good(protocol), good(protocol))),
    ),
    row(
      `framed ${protocol}: a frame ends inside its header`,
      protocol,
      "closed",
      framed(good(protocol).subarray(0, 7)),
    ),
    row(
      `framed ${protocol}: an empty rest of a frame, then FIN`,
      protocol,
      "closed",
      framed(good(protocol)).subarray(0, 9),
      true,
    ),
  ]);
}

/** Heads that can't be, framed and unframed. */
function headRows(): Row[] {
  const types = { reply: 2, exception: 3, "type 0": 0, "type 5": 5, "type 7": 7 };
  return protocols.flatMap((protocol) => {
    const both = (what: string, expected: string, bytes: Buffer): Row[] => [
      row(`framed ${protocol}: ${what}`, protocol, expected, framed(bytes)),
      row(`unframed ${protocol}: ${what}`, protocol, expected, bytes),
    ];
    return [
      ...Object.entries(types).flatMap(([what, type]) =>
        both(`a message of ${what} is sent to the server`, "closed", good(protocol, { type })),
      ),
      ...both(
        "a version that nobody knows",
        "closed",
        good(protocol, { version: protocol === "binary" ? 0x8002 : 2 }),
      ),
      ...both("a name of 1,025 bytes", "closed", good(protocol, { name: "n".repeat(1025) })),
      ...both("a name without any byte", "closed", good(protocol, { name: "" })),
      ...both("an unknown method", "exception 1 open", good(protocol, { name: "nobody" })),
      ...both("an unknown service", "exception 1 open", good(protocol, { name: "Nobody:echo" })),
      ...both("an unknown method as a oneway call", "open", good(protocol, { name: "nobody", type: 4 })),
      ...both(
        "a name with bytes that are no UTF-8",
        "exception 1 open",
        good(protocol, { name: "e\xff\xfe\x80" }),
      ),
      ...both(
        "a name like an object's own property",
        "exception 1 open",
        good(protocol, { name: "__proto__" }),
      ),
    ];
  });
}

const nameLengths: readonly Row[] = [-1, 2 ** 31 - 1, -(2 ** 31), 0].flatMap((nameBytes) => [
  row(
    `framed binary: a name of ${nameBytes} bytes`,
    "binary",
    "closed",
    framed(good("binary", { nameBytes })),
  ),
  row(`unframed compact: a name of ${nameBytes} bytes`, "compact", "closed", good("compact", { nameBytes })),
]);

/** Arguments that can't be decoded: framed, the call is refused; unframed, nobody knows where they end. */
interface BadBody {
  readonly what: string;
  readonly name?: string;
  readonly unframed?: string;
  readonly bodies: Partial<Record<Protocol, Buffer | string>>;
}

const kinds = { name: "Echo:kinds" } as const;
const deep = 33;

const badBodies: readonly BadBody[] = [
  {
    what: "a string of -1 bytes",
    bodies: { binary: join(hex("0b 0001"), i32(-1), "hi", 0), compact: join(0x18, varint(-1), "hi", 0) },
  },
  {
    what: "a string of 2 GiB",
    bodies: {
      binary: join(hex("0b 0001"), i32(2 ** 31 - 1), "hi", 0),
      compact: join(0x18, varint(2 ** 31 - 1), "hi", 0),
    },
  },
  {
    what: "a string that is one byte too long for its message",
    unframed: "timeout",
    bodies: {
      binary: join(hex("0b 0001"), i32(4), "hi", 0),
      compact: join(0x18, varint(4), "hi", 0),
      json: '{"1":{"str":"hi}}',
    },
  },
  {
    what: "a list of -1 elements",
    ...kinds,
    bodies: {
      binary: join(hex("0c 0001 0f 0012 0c"), i32(-1), hex("00 00")),
      compact: join(hex("1c 09 24 fc"), varint(-1), hex("00 00")),
      json: '{"1":{"rec":{"18":{"lst":["rec",-1,{}]}}}}',
    },
  },
  {
    what: "a list of 2^31 - 1 elements",
    ...kinds,
    bodies: {
      binary: join(hex("0c 0001 0f 0012 0c"), i32(2 ** 31 - 1), hex("00 00")),
      compact: join(hex("1c 09 24 fc"), varint(2 ** 31 - 1), hex("00 00")),
    },
  },
  {
    what: "a list of one element more than there are",
    ...kinds,
    unframed: "timeout",
    bodies: {
      binary: join(hex("0c 0001 0f 0012 0c"), i32(3), hex("00 00"), hex("00")),
      compact: join(hex("1c 09 24 3c"), hex("00 00"), hex("00")),
    },
  },
  {
    what: "a million empty structs",
    ...kinds,
    bodies: {
      binary: join(hex("0c 0001 0f 0012 0c"), i32(1e6), Buffer.alloc(1e6), hex("00 00")),
      compact: join(hex("1c 09 24 fc"), varint(1e6), Buffer.alloc(1e6), hex("00 00")),
      json: `{"1":{"rec":{"18":{"lst":["rec",300000,${"{},".repeat(299_999)}{}]}}}}`,
    },
  },
  {
    what: "a million empty structs in a field that nobody knows",
    bodies: {
      binary: join(hex("0f 0063 0c"), i32(1e6), Buffer.alloc(1e6), 0),
      compact: join(hex("09 c6 01 fc"), varint(1e6), Buffer.alloc(1e6), 0),
      json: `{"99":{"lst":["rec",300000,${"{},".repeat(299_999)}{}]}}`,
    },
  },
  {
    what: `structs nested ${deep} deep`,
    bodies: {
      binary: join(...Array.from({ length: deep }, () => hex("0c 0063")), Buffer.alloc(deep + 1)),
      compact: join(...Array.from({ length: deep }, () => hex("fc")), Buffer.alloc(deep + 1)),
      json: `${'{"99":{"rec":'.repeat(deep)}{}${"}}".repeat(deep)}`,
    },
  },
  {
    what: `lists nested ${deep} deep`,
    bodies: {
      binary: join(
        hex("0f 0063"),
        ...Array.from({ length: deep }, () => join(0x0f, i32(1))),
        join(3, i32(0)),
        0,
      ),
      compact: join(hex("f9"), ...Array.from({ length: deep }, () => hex("19")), hex("03"), 0),
      json: `{"99":{"lst":${'["lst",1,'.repeat(deep)}["i8",0]${"]".repeat(deep)}}}`,
    },
  },
  {
    what: "a type that Thrift does not have",
    bodies: { binary: hex("63 0001 00 00"), compact: hex("1f 00"), json: '{"1":{"xyz":5}}' },
  },
  {
    what: "a list of a type that Thrift does not have",
    bodies: {
      binary: join(hex("0f 0063 63"), i32(3), hex("00 00 00 00")),
      compact: hex("f9 3e 00 00 00 00"),
    },
  },
  {
    what: "a map of 2^31 - 1 entries",
    name: "Echo:keys",
    bodies: {
      binary: join(hex("0d 0001 0a 0a"), i32(2 ** 31 - 1), Buffer.alloc(17)),
      compact: join(hex("1b"), varint(2 ** 31 - 1), hex("66 00 00 00")),
      json: '{"1":{"map":["i64","i64",2147483647,{}]}}',
    },
  },
  {
    what: "an integer without an end",
    name: "add",
    unframed: "closed",
    bodies: { compact: join(0x15, Buffer.alloc(64, 0xff), 0), json: `{"1":{"i32":${"9".repeat(5000)}}}` },
  },
];

function bodyRows(): Row[] {
  return badBodies.flatMap(({ what, name = "echo", unframed = "closed", bodies }) =>
    (Object.entries(bodies) as [Protocol, Buffer | string][]).flatMap(([protocol, body]) => {
      const bytes = message(protocol, body, { name });
      // What JSON's scan looks at is its brackets; what stands between them is for the reader.
      const readByReader = protocol === "json" && !/nested|structs|too long/.test(what);
      return [
        row(`framed ${protocol}: ${what}`, protocol, "exception 7 open", framed(bytes)),
        row(`unframed ${protocol}: ${what}`, protocol, readByReader ? "exception 7 open" : unframed, bytes),
      ];
    }),
  );
}

/** Texts that are no JSON, or no Thrift in it. */
const jsonRows: readonly Row[] = [
  row("unframed json: a bracket that closes nothing", "json", "closed", Buffer.from('[1,"echo",1,7,{]}')),
  row(
    "unframed json: a message that is no array of five",
    "json",
    "closed",
    Buffer.from('[1,"echo",1,7,{"1":{"str":"a"}},8]'),
  ),
  row(
    "unframed json: a header of 4 KiB of white space",
    "json",
    "closed",
    Buffer.from(`[1,${" ".repeat(4096)}"echo"`),
  ),
  row(
    "unframed json: a seqid of a thousand digits",
    "json",
    "closed",
    Buffer.from(`[1,"echo",1,${"9".repeat(1000)},{}]`),
  ),
  row(
    "unframed json: a message above maxMessageSize",
    "json",
    "closed",
    Buffer.from(`[1,"echo",1,7,{"1":{"str":"${"x".repeat(2_200_000)}`),
  ),
  row(
    "framed json: base64 that is none",
    "json",
    "exception 7 open",
    framed(message("json", '{"1":{"str":"*"}}', { name: "blob" })),
  ),
  row(
    "framed json: an escape that is none",
    "json",
    "exception 7 open",
    framed(message("json", '{"1":{"str":"\\q"}}')),
  ),
  row(
    "framed json: half a surrogate pair and a NUL",
    "json",
    "reply open",
    framed(message("json", '{"1":{"str":"\\ud800\\u0000"}}')),
  ),
  row(
    "framed json: a list that says more than it has",
    "json",
    "exception 7 open",
    framed(message("json", '{"1":{"rec":{"10":{"lst":["i64",5,1]}}}}', kinds)),
  ),
  row(
    "framed json: a key twice",
    "json",
    "reply open",
    framed(message("json", '{"1":{"str":"a"},"1":{"str":"b"}}')),
  ),
];

/** Beginnings of other protocols' conversations. */
const helloRows: readonly Row[] = Object.entries({
  SSH: "SSH-2.0-OpenSSH_9.2\r\n",
  Redis: "*1\r\n$4\r\nPING\r\n",
  "Redis, inline": "PING\r\n",
  PostgreSQL: hex("00000025 00030000 7573657200 726f6f7400 6461746162617365 00 706f737467726573 0000"),
  "PostgreSQL asking for TLS": hex("00000008 04d2162f"),
  SMTP: "EHLO example.org\r\n",
  FTP: "USER anonymous\r\n",
  Telnet: hex("fffd18 fffd20 fffd23 fffd27"),
  MQTT: hex("10 10 0004 4d515454 04 02 003c 0004 74657374"),
  AMQP: join("AMQP", hex("00 00 09 01")),
  memcached: "get somekey\r\n",
  "memcached, binary": hex("80 00 0000 00 00 0000 00000000 00000000 0000000000000000"),
  SOCKS5: hex("05 01 00"),
  RDP: hex("03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00"),
  DNS: hex("001d 1234 0100 0001 0000 0000 0000 076578616d706c65 03636f6d 00 0001 0001"),
  Cassandra: hex("04 00 0000 01 0000 0016 0001 000b 43514c5f56455253494f4e 0005 332e302e30"),
  MongoDB: hex("3a000000 01000000 00000000 d4070000 00000000"),
  LDAP: hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00"),
  SIP: "OPTIONS sip:x SIP/2.0\r\n\r\n",
  BitTorrent: join(0x13, "BitTorrent protocol", Buffer.alloc(48)),
  zeros: Buffer.alloc(4096),
  ones: Buffer.alloc(4096, 0xff),
  "a PROXY line": "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
  "a TLS alert": hex("15 0301 0002 0228"),
}).map(([what, bytes]) => {
  const expected: Record<string, string> = {
    // These begin as a Thrift frame, or as HTTP, may.
    PostgreSQL: "timeout",
    SIP: "http 400 closed",
  };
  return row(
    `the hello of ${what}`,
    "binary",
    expected[what] ?? "closed",
    Buffer.from(bytes as string, "latin1"),
  );
});

const otherHttp: readonly Row[] = [
  row(
    "HTTP/2's preface",
    "http",
    "http2 closed",
    join("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", hex("000000 04 00 00000000")),
  ),
  row(
    "TLS's ClientHello full of noise",
    "binary",
    "tls closed",
    join(hex("16 0301 0200 01 0001fc 0303"), Buffer.alloc(506, 0x5a)),
  ),
  row("a TLS handshake that never goes on", "binary", "timeout", hex("16 0301 0200 01 0001fc 0303 5a5a")),
];

/** THeader and zlib. */
const theaderRows: readonly Row[] = [
  row(
    "theader: another magic in the second frame",
    "theader",
    "reply closed",
    join(theader(good("binary")), framed(good("binary"))),
  ),
  row(
    "theader: a header longer than its frame",
    "theader",
    "closed",
    theader(good("binary"), hex("00 00"), 0xffff),
  ),
  row("theader: a protocol that nobody knows", "theader", "closed", theader(good("binary"), hex("05 00"))),
  row("theader: a negative protocol", "theader", "closed", theader(good("binary"), join(varint(-1), 0))),
  row(
    "theader: a transform that nobody knows",
    "theader",
    "closed",
    theader(good("binary"), hex("00 01 63")),
  ),
  row("theader: 200 transforms", "theader", "closed", theader(good("binary"), join(0, varint(200)))),
  row("theader: five times zlib", "theader", "closed", zlibTheader(good("binary"), 5)),
  row(
    "theader: an info header that reaches beyond",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 01 01"), varint(9999), "key")),
  ),
  row(
    "theader: an info header of a negative length",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 01 01"), varint(-5), "key")),
  ),
  row(
    "theader: 2^31 - 1 info headers",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 01"), varint(2 ** 31 - 1))),
  ),
  row("theader: varints without end", "theader", "closed", theader(good("binary"), Buffer.alloc(40, 0xff))),
  row(
    "theader: more than 64 KiB of persistent headers",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 02 01 01 6b"), varint(70_000), Buffer.alloc(70_000, 0x61))),
  ),
  row("theader: a zlib bomb of 64 MiB", "theader", "closed", zlibTheader(Buffer.alloc(64 << 20))),
  row("theader: a zlib bomb in a zlib bomb", "theader", "closed", zlibTheader(Buffer.alloc(64 << 20), 2)),
  row(
    "theader: what is compressed is no zlib",
    "theader",
    "closed",
    theader(good("binary"), hex("00 01 01")),
  ),
  row(
    "theader: a zlib stream without its end",
    "theader",
    "closed",
    theader(deflateSync(good("binary")).subarray(0, -6), hex("00 01 01")),
  ),
  row("theader: nothing in it", "theader", "closed", theader(Buffer.alloc(0))),
  row("theader: a reply in it", "theader", "closed", theader(good("binary", { type: 2 }))),
  row(
    "theader: a timeout that is no number",
    "theader",
    "reply open",
    theader(good("binary"), join(hex("00 00 01 01 0e"), "client_timeout", 4, "-1e9")),
  ),
  row(
    "theader: a header that only the server may set",
    "theader",
    "reply open",
    theader(good("binary"), join(hex("00 00 01 01 0a"), "__proto__x", 1, "x")),
  ),
  row("zlib stream: noise behind its header", "zlib", "closed", join(hex("78 9c"), Buffer.alloc(200, 0xff))),
  row("zlib stream: a preset dictionary", "zlib", "closed", hex("78 bb 00000001 00")),
  row("zlib stream: no zlib at all behind an x", "zlib", "closed", Buffer.from("xyzzy")),
  row("zlib stream: 64 MiB of zeros", "zlib", "closed", deflateSync(Buffer.alloc(64 << 20))),
  row(
    "zlib stream: a frame of 1 MiB that never ends",
    "zlib",
    "timeout",
    deflateSync(join(i32(maxFrame), good("binary"))),
  ),
  row(
    "zlib stream: 64 MiB of an unframed string",
    "zlib",
    "closed",
    deflateSync(join(message("binary", join(hex("0b 0001"), i32(64 << 20))), Buffer.alloc(64 << 20))),
  ),
  row("zlib stream: a stream within the stream", "zlib", "closed", deflateSync(deflateSync(good("binary")))),
];

const httpRows: readonly Row[] = [
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

const ws = (...frames: Buffer[]): Buffer => join(webSocketHead, ...frames);
const webSocketRows: readonly Row[] = [
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

/** Every row of bytes. */
export const rows: readonly Row[] = [
  ...frameRows(),
  ...headRows(),
  ...nameLengths,
  ...bodyRows(),
  ...jsonRows,
  ...helloRows,
  ...otherHttp,
  ...theaderRows,
  ...httpRows,
  ...webSocketRows,
];

/** A call to be cut off. */
export interface WholeCall {
  readonly name: string;
  readonly bytes: Buffer;
  /** So many bytes before the end it can be answered already. Default: 0. */
  readonly wholeAt?: number;
}

/** Whole calls of every form, to be cut off at every byte. */
export const wholeCalls: readonly WholeCall[] = [
  ...protocols.flatMap((protocol) => [
    { name: `framed ${protocol}`, bytes: framed(good(protocol)) },
    { name: `unframed ${protocol}`, bytes: good(protocol) },
  ]),
  { name: "old binary", bytes: join(i32(4), "echo", hex("01 00000007"), goodBody("binary")) },
  { name: "theader", bytes: theader(good("compact"), hex("02 00")) },
  { name: "theader with zlib", bytes: zlibTheader(good("binary")) },
  { name: "zlib stream", bytes: deflateSync(framed(good("binary"))), wholeAt: 5 },
  { name: "http", bytes: http(good("binary")) },
  { name: "websocket", bytes: ws(webSocketFrame(0x82, good("binary").toString("latin1"))) },
];
