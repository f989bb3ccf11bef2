import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { detectCutter } from "../../../src/wire/detect.ts";
import { WireError, type WireErrorKind, type WireLimits } from "../../../src/wire/message.ts";
import { encode, frame, limits, type Made, Stream } from "./cutting.ts";

/** Reads bytes in one piece and byte by byte; both must fail in the same way. */
function failsWith(kind: WireErrorKind, bytes: Buffer, given: WireLimits = limits): void {
  const is = (error: unknown): boolean => error instanceof WireError && error.kind === kind;
  assert.throws(() => new Stream(given).read(bytes), is, "in one piece");
  const stream = new Stream(given);
  assert.throws(
    () => {
      for (const byte of bytes) stream.read(Buffer.from([byte]));
    },
    is,
    "byte by byte",
  );
}

const strict = (head: readonly number[], body: readonly number[]): Buffer =>
  Buffer.from([0x80, 1, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 1, ...head, ...body]);
const call: Made = { name: "a", seqid: 1, type: 1, body: [] };

describe("bytes that are no message", () => {
  it("begin like no protocol", () => {
    failsWith("unknown-protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    failsWith("unknown-protocol", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
    failsWith("unknown-protocol", Buffer.from([0x80, 0x02, 0, 1]));
    failsWith("unknown-protocol", Buffer.from([0, 0, 0, 20, 0x7f, 0, 0, 0]));
  });

  it("begin like the PROXY protocol, which is named", () => {
    const proxied = Buffer.from("0d0a0d0a000d0a515549540a21110054", "hex");
    assert.throws(() => detectCutter(proxied, 0, proxied.length, limits), /PROXY protocol.*send-proxy-v2/);
  });

  it("have a frame of no length, or of more than is allowed", () => {
    failsWith("bad-frame-length", Buffer.concat([encode(call, "framed-strict"), Buffer.alloc(4)]));
    failsWith("bad-frame-length", Buffer.concat([encode(call, "framed-strict"), Buffer.alloc(4, 0xff)]));
    failsWith("frame-too-large", Buffer.from([0, 16, 0, 1, 0x80, 1, 0, 1]));
    const stream = new Stream();
    stream.read(Buffer.from([0, 16, 0, 0, 0x80, 1, 0, 1]));
    assert.deepEqual(stream.cut, [], "exactly the limit is waited for");
  });

  it("are refused by their length before they are there", () => {
    assert.throws(
      () => new Stream().read(Buffer.concat([encode(call, "framed-strict"), Buffer.from([0x7f, 0, 0, 0])])),
      WireError,
    );
  });

  it("have a header that is none", () => {
    failsWith("bad-header", frame(Buffer.from([0x80, 1, 0, 1, 0, 0, 0, 9, 0x61])));
    failsWith("bad-header", frame(Buffer.from([0x80, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0])));
    failsWith("bad-header", strict([], [0]).fill(0xff, 4, 8));
    failsWith("bad-header", Buffer.from([0x80, 1, 0, 1, 0, 0, 4, 1]));
    failsWith("bad-header", frame(Buffer.from([0x82, 0x22, 1, 1, 0x61, 0])));
    failsWith("bad-header", frame(Buffer.from([0x82, 0x21, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0x61, 0])));
    failsWith("bad-header", Buffer.concat([encode(call, "strict"), Buffer.from([0x80, 7, 0, 0])]));
  });

  it("are of a type that no client may send", () => {
    for (const type of [0, 2, 3, 5, 255]) {
      failsWith("bad-message-type", encode({ ...call, type }, "framed-strict"));
      failsWith("bad-message-type", encode({ ...call, type }, "framed-old"));
      failsWith("bad-message-type", encode({ ...call, type }, "strict"));
      failsWith("bad-message-type", encode({ ...call, type }, "old"));
    }
    for (const type of [0, 2, 3, 5])
      failsWith("bad-message-type", encode({ ...call, type }, "framed-compact"));
  });

  it("have a type, a length or a count that can't be", () => {
    for (const type of [1, 5, 7, 9, 17, 255]) failsWith("bad-type", strict([type, 0, 1], [0]));
    failsWith("bad-type", strict([15, 0, 1], [5, 0, 0, 0, 1, 0]));
    failsWith("bad-type", strict([13, 0, 1], [11, 7, 0, 0, 0, 1, 0]));
    failsWith("bad-length", strict([11, 0, 1], [0xff, 0xff, 0xff, 0xff]));
    failsWith("bad-length", strict([15, 0, 1], [8, 0xff, 0xff, 0xff, 0xff]));
    failsWith("bad-length", strict([13, 0, 1], [8, 8, 0x80, 0, 0, 0]));
  });

  it("claim a length beyond maxMessageSize", () => {
    const given = { ...limits, maxMessageSizeBytes: 1000 };
    failsWith("message-too-large", strict([11, 0, 1], [0x7f, 0xff, 0xff, 0xff]));
    failsWith("message-too-large", strict([11, 0, 1], [0, 0, 3, 0xe9]), given);
    new Stream(given).read(strict([11, 0, 1], [0, 0, 3, 0xb0]));
  });

  it("claim more elements than all containers of a message may have", () => {
    failsWith("too-many-elements", strict([15, 0, 1], [8, 0, 0, 0x27, 0x11]));
    const lists = { texts: Array<string>(6000).fill("") };
    failsWith("too-many-elements", encode({ ...call, body: [lists, lists] }, "strict"));
    const stream = new Stream();
    for (let at = 0; at < 3; at++) stream.read(encode({ ...call, body: [lists] }, "strict"));
    assert.equal(stream.cut.length, 3, "each message has its own budget");
  });

  it("are an unframed message that is too large, before it is there", () => {
    const text = { text: "x".repeat(limits.maxMessageSizeBytes - 10) };
    failsWith("message-too-large", encode({ ...call, body: [text] }, "strict").subarray(0, 40));
    const pair = { text: "x".repeat(limits.maxMessageSizeBytes / 2) };
    failsWith("message-too-large", encode({ ...call, body: [pair, pair] }, "old"));
  });

  it("nest too deeply", () => {
    const nested = (depth: number): number[] => (depth === 0 ? [] : [12, 0, 1, ...nested(depth - 1), 0]);
    const stream = new Stream();
    stream.read(strict(nested(63), [0]));
    assert.equal(stream.cut.length, 1, "the arguments are a struct too: 64 are allowed");
    failsWith("too-deep", strict(nested(64), [0]));
  });
});

describe("the nesting of an unframed message", () => {
  /** Lists of lists, each with one element. */
  const lists = (depth: number): number[] =>
    depth === 0 ? [] : [depth === 1 ? 2 : 15, 0, 0, 0, 1, ...(depth === 1 ? [1] : lists(depth - 1))];
  /** struct Node { 1: list<Node> children } */
  const tree = (depth: number): number[] =>
    depth === 0 ? [0] : [15, 0, 1, 12, 0, 0, 0, 1, ...tree(depth - 1), 0];

  it("counts structs and containers apart, as the reader of a framed one does", () => {
    const stream = new Stream();
    stream.read(strict([], tree(63)));
    assert.equal(stream.cut.length, 1);
    failsWith("too-deep", strict([], tree(64)));
  });

  it("allows as many lists in each other as the limit says", () => {
    const stream = new Stream();
    stream.read(strict([15, 0, 1], [...lists(64), 0]));
    assert.equal(stream.cut.length, 1);
    failsWith("too-deep", strict([15, 0, 1], [...lists(65), 0]));
  });
});

describe("detection", () => {
  it("waits until it can tell", () => {
    for (const bytes of [[], [0], [0, 0, 0], [0, 0, 0, 9], [0x80]]) {
      assert.equal(detectCutter(Buffer.from(bytes), 0, bytes.length, limits), undefined);
    }
  });

  it("tells protocol and transport from the first bytes", () => {
    const kinds = {
      "framed-strict": "framed binary",
      "framed-old": "framed binary",
      "framed-compact": "framed compact",
      strict: "unframed binary",
      old: "unframed binary",
    } as const;
    for (const [form, kind] of Object.entries(kinds)) {
      const bytes = encode(call, form as keyof typeof kinds);
      const cutter = detectCutter(bytes, 0, bytes.length, limits)!;
      assert.equal(`${cutter.framed ? "framed" : "unframed"} ${cutter.protocol}`, kind, form);
    }
  });
});
