import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import thrift from "thrift";
import { toBigInt } from "../../../src/wire/int64.ts";
import { JsonReader } from "../../../src/wire/json-reader.ts";
import { JsonWriter } from "../../../src/wire/json-writer.ts";
import type { ProtocolWriter } from "../../../src/wire/protocol.ts";
import { MessageType, Type } from "../../../src/wire/protocol.ts";
import type { ProtocolErrorKind } from "../../../src/wire/protocol-error.ts";
import type { ReadLimits } from "../../../src/wire/read-limits.ts";
import { protocolError } from "./codec-support/codecs.ts";
import {
  INT64_EDGES,
  type Input,
  type Output,
  onlyKnown,
  readValue,
  structAndValue,
  writeValue,
} from "./codec-support/schema.ts";

function written(write: (output: ProtocolWriter) => void): string {
  const writer = new JsonWriter();
  write(writer);
  return writer.buffer.toString("utf8", 0, writer.position);
}

/** A reader of this text. More lies behind it, which it must not see. */
function readerOf(text: string, limits?: ReadLimits): JsonReader {
  const bytes = Buffer.from(text);
  const reader = new JsonReader(limits);
  reader.reset(Buffer.concat([Buffer.from("[[["), bytes, Buffer.from('"}]1,:')]), 3, 3 + bytes.length);
  return reader;
}

interface PackageTransport {
  flush(): void;
}

const Package = thrift as unknown as {
  TBufferedTransport: (new (
    bytes: null,
    onFlush: (message: Buffer) => void,
  ) => PackageTransport) & {
    receiver(callback: (transport: PackageTransport) => void): (bytes: Buffer) => void;
  };
  TJSONProtocol: new (transport: PackageTransport) => Input & Output;
};

/** What the thrift package's protocol writes of a whole message. */
function packageWritten(write: (output: Output) => void): string {
  const messages: Buffer[] = [];
  const transport = new Package.TBufferedTransport(null, (bytes) => messages.push(bytes));
  const output = new Package.TJSONProtocol(transport);
  output.writeMessageBegin("m", MessageType.CALL, 7);
  write(output);
  output.writeMessageEnd();
  transport.flush();
  return Buffer.concat(messages).toString("utf8");
}

function packageReader(text: string): Input {
  let input: Input | undefined;
  Package.TBufferedTransport.receiver((transport) => {
    input = new Package.TJSONProtocol(transport);
  })(Buffer.from(text));
  input!.readMessageBegin();
  return input!;
}

function message(write: (output: Output) => void): string {
  return written((output) => {
    output.writeMessageBegin("m", MessageType.CALL, 7);
    write(output);
    output.writeMessageEnd();
  });
}

describe("the JSON codec", () => {
  it("reads back every value that it wrote, and passes over what it is told to skip", () => {
    fc.assert(
      fc.property(structAndValue(), fc.integer(), ({ schema, value }, seed) => {
        const text = written((output) => writeValue(output, schema, value));
        const knows = (id: number): boolean => ((id * 31 + seed) & 3) !== 0;
        assert.deepEqual(readValue(readerOf(text), schema), value);
        assert.deepEqual(readValue(readerOf(text), schema, knows), onlyKnown(schema, value, knows));
      }),
      { numRuns: 150 },
    );
  });

  it("writes what the thrift package reads, where that can read it", () => {
    fc.assert(
      fc.property(
        fc.record({
          text: fc.string({ unit: "grapheme" }),
          wide: fc.constantFrom(...INT64_EDGES),
          bytes: fc.uint8Array(),
          double: fc.double(),
        }),
        ({ text, wide, bytes, double }) => {
          const sent = message((output) => {
            output.writeStructBegin("s");
            output.writeFieldBegin("a", Type.STRING, 1);
            output.writeString(text);
            output.writeFieldEnd();
            output.writeFieldBegin("b", Type.I64, 2);
            output.writeI64(wide);
            output.writeFieldEnd();
            output.writeFieldBegin("c", Type.STRING, 3);
            output.writeBinary(bytes);
            output.writeFieldEnd();
            output.writeFieldBegin("d", Type.DOUBLE, 4);
            output.writeDouble(double);
            output.writeFieldEnd();
            output.writeFieldStop();
            output.writeStructEnd();
          });
          const input = packageReader(sent);
          input.readStructBegin();
          const values = [1, 2, 3, 4].map((id) => {
            assert.equal(input.readFieldBegin().fid, id);
            const value =
              id === 1
                ? input.readString()
                : id === 2
                  ? toBigInt(input.readI64())
                  : id === 3
                    ? input.readBinary()
                    : input.readDouble();
            input.readFieldEnd();
            return value;
          });
          assert.deepEqual(values, [text, wide, Buffer.from(bytes), double]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("reads what the thrift package writes", () => {
    const doubles = fc.double().filter((value) => !Object.is(value, -0));
    fc.assert(
      // The package writes −0 as 0.
      fc.property(structAndValue({ doubles }), ({ schema, value }) => {
        const text = packageWritten((output) => writeValue(output, schema, value));
        const reader = readerOf(text);
        assert.deepEqual(reader.readMessageBegin(), { fname: "m", mtype: MessageType.CALL, rseqid: 7 });
        assert.deepEqual(readValue(reader, schema), value);
        reader.readMessageEnd();
      }),
      { numRuns: 150 },
    );
  });

  it("writes i64 with all digits, from every form, as a map's key too", () => {
    for (const value of INT64_EDGES) {
      assert.equal(
        written((output) => output.writeI64(value)),
        String(value),
      );
      const map = written((output) => {
        output.writeMapBegin(Type.I64, Type.I64, 1);
        output.writeI64(String(value));
        output.writeI64(value);
        output.writeMapEnd();
      });
      assert.equal(map, `["i64","i64",1,{"${value}":${value}}]`);
      const reader = readerOf(map);
      reader.readMapBegin();
      assert.equal(String(reader.readI64()), String(value));
      assert.equal(toBigInt(reader.readI64()), value);
      reader.readMapEnd();
    }
    assert.equal(
      written((output) => output.writeI64(2 ** 62)),
      "4611686018427387904",
    );
  });

  it("writes strings and doubles so that every JSON parser takes them", () => {
    const writes: readonly [(output: ProtocolWriter) => void, string][] = [
      [(output) => output.writeString('a"b\\c/d\n\u0001\u001f'), String.raw`"a\"b\\c/d\n\u0001\u001f"`],
      [(output) => output.writeString("\ud800x"), '"\ufffdx"'],
      [(output) => output.writeString("ü𝄞"), '"ü𝄞"'],
      [(output) => output.writeDouble(Number.NaN), '"NaN"'],
      [(output) => output.writeDouble(Number.NEGATIVE_INFINITY), '"-Infinity"'],
      [(output) => output.writeDouble(-0), "-0"],
      [(output) => output.writeDouble(1e21), "1e+21"],
      [(output) => output.writeBinary(Buffer.from([0xff, 0xfe])), '"//4="'],
    ];
    for (const [write, text] of writes) assert.equal(written(write), text);
  });

  it("reads what other libraries write in their own ways", () => {
    const reads: readonly [string, (input: JsonReader) => unknown, unknown][] = [
      ['"NaN"', (input) => input.readDouble(), Number.NaN],
      ["nan", (input) => input.readDouble(), Number.NaN],
      ["-inf", (input) => input.readDouble(), Number.NEGATIVE_INFINITY],
      ["1e+300", (input) => input.readDouble(), 1e300],
      ["17", (input) => input.readDouble(), 17],
      [' "//4" ', (input) => input.readBinary(), Buffer.from([0xff, 0xfe])],
      ['"\\/\\/4="', (input) => input.readBinary(), Buffer.from([0xff, 0xfe])],
      ['"\\u00e4\\ud834\\udd1e\\/"', (input) => input.readString(), "ä𝄞/"],
      ['"a\u0001\tb"', (input) => input.readString(), "a\u0001\tb"],
      ['"12"', (input) => input.readI32(), 12],
      ["1", (input) => input.readBool(), true],
    ];
    for (const [text, read, value] of reads) assert.deepEqual(read(readerOf(text)), value);
  });

  it("keeps map entries whatever their keys are called", () => {
    const reader = readerOf('["str","i32",2,{"__proto__":1,"__proto__":2}]');
    assert.equal(reader.readMapBegin().size, 2);
    assert.deepEqual(
      [reader.readString(), reader.readI32(), reader.readString(), reader.readI32()],
      ["__proto__", 1, "__proto__", 2],
    );
    reader.readMapEnd();
  });

  it("refuses what is no value of the type, or breaks a limit", () => {
    const limits: ReadLimits = { recursionLimit: 4, maxContainerElements: 10 };
    const nested = `${'["lst",1,'.repeat(5)}["i32",0]${"]".repeat(5)}`;
    const cases: readonly [string, (input: JsonReader) => unknown, ProtocolErrorKind][] = [
      ["2147483648", (input) => input.readI32(), "invalid-data"],
      ["32768", (input) => input.readI16(), "invalid-data"],
      ["1.5", (input) => input.readI32(), "invalid-data"],
      ["9223372036854775808", (input) => input.readI64(), "invalid-data"],
      ["0x10", (input) => input.readDouble(), "invalid-data"],
      ['"a', (input) => input.readString(), "truncated"],
      ['"a\\"', (input) => input.readString(), "truncated"],
      ['"\\x"', (input) => input.readString(), "invalid-data"],
      ['"\\u12g4"', (input) => input.readString(), "invalid-data"],
      ['"a*b="', (input) => input.readBinary(), "invalid-data"],
      ["", (input) => input.readI32(), "truncated"],
      ["{", (input) => input.readI32(), "invalid-data"],
      ['["i32",11,1,2,3,4,5,6,7,8,9,10,11]', (input) => input.readListBegin(), "size-limit"],
      ['["i32",1000000]', (input) => input.readListBegin(), "truncated"],
      ['["i32",-1]', (input) => input.readListBegin(), "negative-size"],
      ['["i33",1,1]', (input) => input.readListBegin(), "invalid-data"],
      [nested, (input) => input.skip(Type.LIST), "depth-limit"],
      ['{"1":{"xyz":1}}', (input) => input.skip(Type.STRUCT), "invalid-data"],
      ['["i32",1,1,2]', (input) => input.skip(Type.LIST), "invalid-data"],
    ];
    for (const [text, read, kind] of cases) {
      assert.throws(() => read(readerOf(text, limits)), protocolError(kind), text);
    }
  });

  it("refuses a container that got other elements than announced", () => {
    const write = (output: ProtocolWriter): void => {
      output.writeListBegin(Type.I32, 2);
      output.writeI32(1);
      output.writeListEnd();
    };
    assert.throws(
      () => written(write),
      protocolError("invalid-data", /2 values were announced and 1 written/),
    );
  });
});
