/** Arguments that expand, never end, or are none. */
import { type Row, row } from "./row.ts";
import { framed, hex, i32, join, message, type Protocol, varint } from "./wire.ts";

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

/** Bodies that are hostile, framed and unframed. */
export function bodyRows(): Row[] {
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
export const jsonRows: readonly Row[] = [
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
