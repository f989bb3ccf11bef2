import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError, type WireErrorKind } from "../../../src/wire/message.ts";
import { type ProtocolWriter, Type } from "../../../src/wire/protocol.ts";
import type { ProtocolName } from "../../../src/wire/protocol-names.ts";
import { call, everything, Feed, framed, limits, pieces, protocols, theader } from "./cutter-support.ts";

const empty = (): void => {};
const protocolIds: Record<ProtocolName, number> = { binary: 0, json: 1, compact: 2 };

/** Every way in which a message can come. */
const forms: readonly {
  readonly kind: string;
  readonly protocol: ProtocolName;
  wrap(message: Buffer): Buffer;
}[] = protocols.flatMap((protocol) => [
  { kind: `unframed-${protocol}`, protocol, wrap: (message) => message },
  { kind: `framed-${protocol}`, protocol, wrap: framed },
  {
    kind: "theader",
    protocol,
    wrap: (message) => theader(message, { protocolId: protocolIds[protocol], headers: { a: "1", bb: "" } }),
  },
  {
    kind: "theader",
    protocol,
    wrap: (message) =>
      theader(message, { protocolId: protocolIds[protocol], transforms: [1], headers: { a: "1", bb: "" } }),
  },
]);

function wireError(kind: WireErrorKind): (error: unknown) => boolean {
  return (error) => error instanceof WireError && error.kind === kind;
}

for (const { kind, protocol, wrap } of forms) {
  const first = call(protocol, "Service:first", 17, everything);
  const second = call(protocol, "second", -5, empty);
  const both = Buffer.concat([wrap(first), wrap(second)]);
  const expected = new Feed().feed(both).taken;

  describe(`${kind} messages of the ${protocol} protocol, ${both.length} bytes`, () => {
    it("are cut, two in one segment", () => {
      const feed = new Feed().feed(both);
      assert.equal(feed.cutter?.kind, kind);
      assert.deepEqual(
        feed.taken.map(({ name, type, seqid, message }) => ({ name, type, seqid, message })),
        [
          { name: "Service:first", type: 1, seqid: 17, message: first.toString("latin1") },
          { name: "second", type: 1, seqid: -5, message: second.toString("latin1") },
        ],
      );
      assert.equal(feed.waiting, 0);
      const headers = kind === "theader" ? { a: "1", bb: "" } : {};
      assert.deepEqual(feed.taken[0]!.headers, headers);
    });

    it("are cut in the same way when they are split, wherever that is", () => {
      for (let at = 1; at < both.length; at++) {
        const { taken } = new Feed().feed(both.subarray(0, at), both.subarray(at));
        assert.deepEqual(taken, expected, `split at ${at}`);
      }
    });

    it("are cut as soon as they are whole, byte by byte", () => {
      const feed = new Feed();
      const whole = wrap(first).length;
      for (const [index, piece] of pieces(both, 1).entries()) {
        feed.feed(piece);
        assert.equal(feed.taken.length, index + 1 < whole ? 0 : index + 1 < both.length ? 1 : 2);
      }
      assert.deepEqual(feed.taken, expected);
    });
  });
}

describe("unframed JSON", () => {
  it("may have white space between messages and between tokens", () => {
    const spaced = Buffer.from(' \r\n[ 1 , "ping" , 1 , -3 , { "1" : { "str" : "]}" } } ]\n\t');
    const feed = new Feed().feed(Buffer.from('[1,"ping",1,2,{}]'), ...pieces(spaced, 1));
    assert.deepEqual(
      feed.taken.map(({ seqid }) => seqid),
      [2, -3],
    );
    assert.equal(feed.waiting, 0);
  });

  it("is refused when its header has no end, is none, or is of another version", () => {
    const cases: readonly [string, WireErrorKind][] = [
      [`[1,${" ".repeat(2000)}`, "bad-header"],
      [`[1,"${"a".repeat(1500)}",1,0,{}]`, "bad-header"],
      ['[2,"ping",1,0,{}]', "bad-header"],
      ['[1,"",1,0,{}]', "bad-header"],
      ["[1,2,1,0,{}]", "bad-header"],
      ['[1,"ping",2,0,{}]', "bad-message-type"],
      ['[1,"ping",1,0,{}}', "bad-json"],
      ['[1,"ping",1,0,{"1":{"lst":["i32",1,{}]}}*', "bad-json"],
      ['[1,"ping",1,0,{"1":{"lst":[{}]}}]', "bad-json"],
      ['[1,"ping",1,0,{}, 5]', "bad-json"],
    ];
    for (const [text, kind] of cases) {
      assert.throws(() => new Feed().feed(Buffer.from(text)), wireError(kind), text);
    }
  });
});

function nestLists(output: ProtocolWriter, depth: number): void {
  output.writeListBegin(depth > 1 ? Type.LIST : Type.I32, depth > 1 ? 1 : 0);
  if (depth > 1) nestLists(output, depth - 1);
  output.writeListEnd();
}

function nestStructs(output: ProtocolWriter, depth: number): void {
  output.writeStructBegin("nested");
  if (depth > 1) {
    output.writeFieldBegin("inner", Type.STRUCT, 1);
    nestStructs(output, depth - 1);
    output.writeFieldEnd();
  }
  output.writeFieldStop();
  output.writeStructEnd();
}

function inField(type: number, write: (output: ProtocolWriter) => void): (output: ProtocolWriter) => void {
  return (output) => {
    output.writeFieldBegin("field", type, 1);
    write(output);
    output.writeFieldEnd();
  };
}

for (const protocol of protocols) {
  const tight = { ...limits, recursionLimit: 10, maxContainerElements: 100, maxMessageSizeBytes: 5000 };
  const feed = (write: (output: ProtocolWriter) => void): Feed =>
    new Feed(tight).feed(call(protocol, "m", 1, write));

  describe(`the limits of unframed ${protocol} messages`, () => {
    it("count structs and containers apart, as the readers do", () => {
      const lists = (depth: number) => inField(Type.LIST, (output) => nestLists(output, depth));
      const structs = (depth: number) => inField(Type.STRUCT, (output) => nestStructs(output, depth));
      assert.equal(feed(lists(10)).taken.length, 1);
      assert.throws(() => feed(lists(11)), wireError("too-deep"));
      // The arguments are a struct themselves.
      assert.equal(feed(structs(9)).taken.length, 1);
      assert.throws(() => feed(structs(10)), wireError("too-deep"));
    });

    it("count the elements of all containers together, a map's entry once", () => {
      const map = (entries: number) =>
        inField(Type.MAP, (output) => {
          output.writeMapBegin(Type.I32, Type.LIST, entries);
          for (let key = 0; key < entries; key++) {
            output.writeI32(key);
            output.writeListBegin(Type.I32, 1);
            output.writeI32(key);
            output.writeListEnd();
          }
          output.writeMapEnd();
        });
      assert.equal(feed(map(50)).taken.length, 1);
      assert.throws(() => feed(map(51)), wireError("too-many-elements"));
    });

    it("refuse a message that is too large before it is whole", () => {
      const large = call(
        protocol,
        "m",
        1,
        inField(Type.STRING, (output) => output.writeString("x".repeat(5000))),
      );
      assert.throws(
        () => new Feed(tight).feed(large.subarray(0, 5100)),
        (error) => error instanceof WireError && /maxMessageSize|length 5000/.test(error.message),
      );
    });
  });
}
