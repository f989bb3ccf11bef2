/**
 * The messages that the load generator sends and expects, encoded once with the `thrift` package.
 * A slot is one of the calls that a connection keeps in flight; slot n has the sequence number n + 1.
 */
import Int64 from "node-int64";
import thrift, { type TProtocol, type TStructLike } from "thrift";
import ledgerTypes from "../../gen/ledger_types.js";
import benchTypes, { type Item } from "../gen/bench_types.js";
import type { ProtocolName } from "../servers/contestant.ts";

const { Thrift } = thrift;

/** One request and the reply to it, for every slot, concatenated. */
export interface Exchange {
  readonly name: string;
  readonly depth: number;
  readonly requests: Buffer;
  readonly replies: Buffer;
  /** How much of each reply is known beforehand, in bytes from its start. Default: all of it. */
  readonly compareBytes?: number;
  /** Where each request carries a decimal number that must be new in every call. */
  readonly counter?: { readonly offset: number; readonly digits: number };
}

type Write = (protocol: TProtocol) => void;

interface Call {
  readonly name: string;
  readonly method: string;
  readonly arguments: Write;
  readonly result: Write;
}

/** The struct that `echo` carries: 139 bytes as one framed strict binary call. */
export const benchItem: Item = new benchTypes.Item({
  id: new Int64(4_242_424_242),
  name: "blue-teapot-0042",
  owner: "ada@example.org",
  quantity: 42,
  price: 19.95,
  currency: "EUR",
  active: true,
  note: "in stock",
  updatedAtMs: new Int64(1_767_225_600_000),
});

/** `void ping()`. */
export const ping: Call = { name: "ping", method: "ping", arguments: () => {}, result: () => {} };

/** `Item echo(1: Item item)` with `benchItem`. */
export const echo: Call = {
  name: "echo",
  method: "echo",
  arguments: structField(1, benchItem),
  result: structField(0, benchItem),
};

/** `binary blob(1: binary data)` with so many bytes. */
export function blob(sizeBytes: number): Call {
  const data = Buffer.from(Array.from({ length: sizeBytes }, (_, i) => (i * 167 + (i >> 8)) & 0xff));
  const write = (id: number) =>
    field(id, Thrift.Type.STRING, (protocol) => protocol.writeBinary(data as unknown as string));
  return { name: `blob-${sizeBytes}`, method: "blob", arguments: write(1), result: write(0) };
}

/** `i64 burn(1: i32 ms)`. */
export function burn(ms: number): Call {
  return {
    name: `burn-${ms}`,
    method: "burn",
    arguments: field(1, Thrift.Type.I32, (protocol) => protocol.writeI32(ms)),
    result: field(0, Thrift.Type.I64, (protocol) => protocol.writeI64(new Int64(ms))),
  };
}

const counterDigits = 10;
const postId = `bench-${"0".repeat(counterDigits)}`;

/** `Receipt post(1: Entry entry)` of the reference ledger, each with an id of its own. */
const post: Call = {
  name: "post",
  method: "post",
  arguments: structField(
    1,
    new ledgerTypes.Entry({
      id: postId,
      debit: "till",
      credit: "sales",
      amount: new Int64(1),
      memo: "benchmark",
    }),
  ),
  result: structField(0, new ledgerTypes.Receipt({ seq: new Int64(0), duplicate: false })),
};

/** `i64 balance(1: string account)` of the account that `ledgerPosts` credits, for one call. */
export function ledgerBalance(): Buffer {
  return frame("binary", "balance", Thrift.MessageType.CALL, 1, (protocol) =>
    field(1, Thrift.Type.STRING, (p) => p.writeString("sales"))(protocol),
  );
}

/** Ledger posts with ids that never repeat; the receipts' sequence numbers can't be foreseen. */
export function ledgerPosts(depth: number): Exchange {
  const exchange = encode(post, "binary", depth);
  const reply = exchange.replies.subarray(0, exchange.replies.length / depth);
  // Behind the known part: the 8 bytes of the receipt's seq, `duplicate` and the ends of two structs.
  const tailBytes = 8 + 4 + 2;
  return {
    ...exchange,
    compareBytes: reply.length - tailBytes,
    counter: { offset: exchange.requests.indexOf(postId) + "bench-".length, digits: counterDigits },
  };
}

/** Encodes a call and its reply for every slot. */
export function encode(call: Call, protocol: ProtocolName, depth: number): Exchange {
  const slots = Array.from({ length: depth }, (_, slot) => slot + 1);
  const { CALL, REPLY } = Thrift.MessageType;
  const requests = slots.map((seqid) => frame(protocol, call.method, CALL, seqid, call.arguments));
  const replies = slots.map((seqid) => frame(protocol, call.method, REPLY, seqid, call.result));
  // The generator cuts the files into equal pieces; compact writes small sequence numbers in one byte.
  for (const frames of [requests, replies]) {
    if (frames.some(({ length }) => length !== frames[0]!.length)) {
      throw new RangeError(`a depth of ${depth} makes messages of different lengths over ${protocol}`);
    }
  }
  return {
    name: `${call.name}-${protocol}-${depth}`,
    depth,
    requests: Buffer.concat(requests),
    replies: Buffer.concat(replies),
  };
}

function frame(protocol: ProtocolName, method: string, type: number, seqid: number, write: Write): Buffer {
  let framed: Buffer | undefined;
  const transport = new thrift.TFramedTransport(undefined, (message) => {
    framed = message;
  });
  const output =
    protocol === "compact" ? new thrift.TCompactProtocol(transport) : new thrift.TBinaryProtocol(transport);
  output.writeMessageBegin(method, type, seqid);
  output.writeStructBegin("");
  write(output);
  output.writeFieldStop();
  output.writeStructEnd();
  output.writeMessageEnd();
  output.flush();
  return framed!;
}

function field(id: number, type: number, write: Write): Write {
  return (protocol) => {
    protocol.writeFieldBegin("", type, id);
    write(protocol);
    protocol.writeFieldEnd();
  };
}

/** A field that holds a generated struct. Its declaration leaves out the `write` that the class has. */
function structField(id: number, struct: object): Write {
  return field(id, Thrift.Type.STRUCT, (protocol) => (struct as TStructLike).write(protocol));
}
