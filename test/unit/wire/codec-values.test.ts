import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import Int64 from "node-int64";
import type { Int64Value } from "../../../src/wire/int64.ts";
import { toBigInt, toInt64, toSafeNumber } from "../../../src/wire/int64.ts";
import type { ProtocolReader, ProtocolWriter } from "../../../src/wire/protocol.ts";
import { ProtocolError } from "../../../src/wire/protocol-error.ts";
import { type Codec, codecs, protocolError, readerOf, written } from "./codec-support/codecs.ts";
import { INT64_EDGES } from "./codec-support/schema.ts";

type WriteMethod =
  | "writeBool"
  | "writeByte"
  | "writeI16"
  | "writeI32"
  | "writeI64"
  | "writeDouble"
  | "writeString"
  | "writeBinary"
  | "writeUuid";

const REFUSED: Readonly<Record<WriteMethod, readonly unknown[]>> = {
  writeBool: [null, undefined],
  writeByte: [128, -129, 1.5, Number.NaN, "1.5", "0x1", " 1", "", "128", null, undefined, true, 1n, {}, []],
  writeI16: [32768, -32769, 0.5, Number.NaN, "32768", "one", null, undefined, false, {}],
  writeI32: [
    2 ** 31,
    -(2 ** 31) - 1,
    1e-9,
    Number.POSITIVE_INFINITY,
    "2147483648",
    "01",
    null,
    undefined,
    new Date(),
  ],
  writeI64: [
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 63,
    -(2 ** 63) - 2048,
    2n ** 63n,
    -(2n ** 63n) - 1n,
    "9223372036854775808",
    "Infinity",
    "12a",
    "0x10",
    "",
    "1.0",
    null,
    undefined,
    true,
    {},
    [],
    { buffer: Buffer.alloc(8), offset: 1 },
    Buffer.alloc(8),
  ],
  writeDouble: ["1.0", "one", "", null, undefined, true, 1n, {}],
  writeString: [1, null, undefined, true, {}, ["a"], Symbol("s"), () => "a", Object.create(null)],
  writeBinary: [1, null, undefined, {}, [1, 2], new ArrayBuffer(2), new Uint16Array(2)],
  writeUuid: ["", "not a uuid", "00000000-0000-0000-0000-00000000000", 7, null, undefined],
};

function write(output: ProtocolWriter, method: WriteMethod, value: unknown): void {
  (output[method] as (value: unknown) => void).call(output, value);
}

function rewritten<T>(
  codec: Codec,
  method: WriteMethod,
  value: unknown,
  read: (input: ProtocolReader) => T,
): T {
  return read(
    readerOf(
      codec,
      written(codec, (output) => write(output, method, value)),
    ),
  );
}

for (const codec of codecs) {
  describe(`the ${codec.name} writer`, () => {
    for (const [method, values] of Object.entries(REFUSED) as [WriteMethod, readonly unknown[]][]) {
      it(`refuses in ${method} what the type can't carry, and writes nothing of it`, () => {
        const writer = codec.writer();
        for (const value of values) {
          const refuse = () => write(writer, method, value);
          assert.throws(refuse, protocolError("invalid-data", new RegExp(`^${method}: `)));
          assert.equal(writer.position, 0);
        }
      });
    }

    it("takes the string keys that a map's numbers and bools turn into", () => {
      const key = (value: unknown) => Object.keys({ [String(value)]: 0 })[0];
      for (const number of [0, 1, -1, 127, -128]) {
        assert.equal(
          rewritten(codec, "writeByte", key(number), (input) => input.readByte()),
          number,
        );
        assert.equal(
          rewritten(codec, "writeI16", key(number), (input) => input.readI16()),
          number,
        );
        assert.equal(
          rewritten(codec, "writeI32", key(number), (input) => input.readI32()),
          number,
        );
      }
      for (const number of [0.1, -1e21, 5e-324, Number.POSITIVE_INFINITY, Number.NaN]) {
        assert.equal(
          rewritten(codec, "writeDouble", key(number), (input) => input.readDouble()),
          number,
        );
      }
      for (const bool of [true, false]) {
        assert.equal(
          rewritten(codec, "writeBool", key(bool), (input) => input.readBool()),
          bool,
        );
      }
      for (const long of INT64_EDGES) {
        assert.equal(
          rewritten(codec, "writeI64", key(long), (input) => toBigInt(input.readI64())),
          long,
        );
      }
    });

    it("takes whatever is truthy for a bool", () => {
      for (const value of [1, "yes", {}, [], -1]) {
        assert.equal(
          rewritten(codec, "writeBool", value, (input) => input.readBool()),
          true,
        );
      }
      for (const value of [0, "", Number.NaN, 0n]) {
        assert.equal(
          rewritten(codec, "writeBool", value, (input) => input.readBool()),
          false,
        );
      }
    });

    it("writes an i64 exactly, however it is given", () => {
      const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
      const exact = (long: bigint) => {
        const inside = Buffer.alloc(20, 0xaa);
        inside.writeBigInt64BE(long, 5);
        const ways: unknown[] = [long, String(long), toInt64(long), new Int64(inside, 5)];
        if (BigInt(Number(long)) === long && Number(long) < 2 ** 63) ways.push(Number(long));
        for (const way of ways) {
          assert.equal(
            rewritten(codec, "writeI64", way, (input) => toBigInt(input.readI64())),
            long,
          );
        }
      };
      INT64_EDGES.forEach(exact);
      fc.assert(fc.property(anyInt64, exact));
    });

    it("takes an Int64 of another copy of node-int64", () => {
      const foreign = { buffer: new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2]), offset: 0 };
      assert.equal(
        rewritten(codec, "writeI64", foreign, (input) => input.readI64().toNumber()),
        258,
      );
    });

    it("reads an i64 as an Int64 on eight bytes of its own", () => {
      const [first, second] = [1, 2].map((value) =>
        rewritten(codec, "writeI64", value, (input) => input.readI64()),
      );
      assert.ok(first instanceof Int64);
      assert.equal(first.offset, 0);
      assert.equal(first.buffer.length, 8);
      assert.equal(first.buffer.buffer.byteLength, 8);
      first.buffer.fill(0xff);
      assert.equal(second!.toNumber(), 2);
    });

    it("writes strings given as bytes, and binary given as latin1 text", () => {
      const utf8 = Buffer.from("é€");
      assert.equal(
        rewritten(codec, "writeString", utf8, (input) => input.readString()),
        "é€",
      );
      assert.deepEqual(
        rewritten(codec, "writeBinary", new Uint8Array([1, 2]), (input) => input.readBinary()),
        Buffer.from([1, 2]),
      );
      assert.deepEqual(
        rewritten(codec, "writeBinary", "é", (input) => input.readBinary()),
        Buffer.from([0xe9]),
      );
    });

    it("brings every length of text through, ASCII or not", () => {
      for (let length = 0; length < 200; length++) {
        for (const unit of ["a", "é", "€", "𝄞"]) {
          for (const text of [
            unit.repeat(length),
            `${"x".repeat(length)}${unit}`,
            `${unit}${"x".repeat(length)}`,
          ]) {
            assert.equal(
              rewritten(codec, "writeString", text, (input) => input.readString()),
              text,
            );
          }
        }
      }
    });

    it("reads a byte that is no UTF-8 as the replacement character, wherever it stands", () => {
      for (let length = 1; length < 40; length++) {
        for (let at = 0; at < length; at++) {
          const bytes = Buffer.alloc(length, "x");
          bytes[at] = 0xff;
          assert.equal(
            rewritten(codec, "writeString", bytes, (input) => input.readString()),
            `${"x".repeat(at)}\ufffd${"x".repeat(length - at - 1)}`,
          );
        }
      }
    });

    it("writes lone surrogates as the replacement character", () => {
      for (const text of ["\ud800", `${"x".repeat(30)}\udc00`]) {
        assert.equal(
          rewritten(codec, "writeString", text, (input) => input.readString()),
          text.toWellFormed(),
        );
      }
    });
  });
}

describe("an i64", () => {
  it("converts to a bigint and back exactly", () => {
    for (const long of INT64_EDGES) assert.equal(toBigInt(toInt64(long)), long);
  });

  it("becomes a number only where that is exact", () => {
    assert.equal(toSafeNumber(toInt64(2n ** 53n - 1n)), 2 ** 53 - 1);
    assert.equal(toSafeNumber(toInt64(-(2n ** 53n) + 1n)), -(2 ** 53) + 1);
    for (const long of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      assert.throws(() => toSafeNumber(toInt64(long)), protocolError("invalid-data", /toBigInt/));
    }
  });

  it("is refused by name when it is none", () => {
    assert.throws(() => toBigInt("x" as Int64Value), protocolError("invalid-data", /^toBigInt: "x"/));
  });
});

describe("a ProtocolError", () => {
  it("carries its code, its kind and Thrift's number for it", () => {
    const cause = new Error("why");
    const error = new ProtocolError("depth-limit", "too deep", { cause });
    assert.equal(error.code, "SLUICE_PROTOCOL");
    assert.equal(error.kind, "depth-limit");
    assert.equal(error.type, 6);
    assert.equal(error.cause, cause);
    assert.ok(error instanceof Error);
  });
});
