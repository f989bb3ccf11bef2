import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProtocolReader, ProtocolWriter } from "../../../src/wire/protocol.ts";
import { Type } from "../../../src/wire/protocol.ts";
import { DEFAULT_READ_LIMITS } from "../../../src/wire/read-limits.ts";
import { codecs, protocolError, readerOf, written } from "./codec-support/codecs.ts";

function writeNestedStructs(output: ProtocolWriter, depth: number): void {
  output.writeStructBegin("Nested");
  if (depth > 1) {
    output.writeFieldBegin("inner", Type.STRUCT, 1);
    writeNestedStructs(output, depth - 1);
    output.writeFieldEnd();
  }
  output.writeFieldStop();
  output.writeStructEnd();
}

function readNestedStructs(input: ProtocolReader): number {
  let depth = 1;
  input.readStructBegin();
  while (input.readFieldBegin().ftype !== Type.STOP) depth += readNestedStructs(input);
  input.readStructEnd();
  return depth;
}

function writeNestedLists(output: ProtocolWriter, depth: number): void {
  output.writeListBegin(depth > 1 ? Type.LIST : Type.I32, 1);
  if (depth > 1) writeNestedLists(output, depth - 1);
  else output.writeI32(7);
  output.writeListEnd();
}

function readNestedLists(input: ProtocolReader): number {
  const { etype } = input.readListBegin();
  const depth = etype === Type.LIST ? 1 + readNestedLists(input) : input.readI32() && 1;
  input.readListEnd();
  return depth;
}

/** `struct Node { 1: list<Node> children }`, one child each. */
function writeTree(output: ProtocolWriter, depth: number): void {
  output.writeStructBegin("Node");
  output.writeFieldBegin("children", Type.LIST, 1);
  output.writeListBegin(Type.STRUCT, depth > 1 ? 1 : 0);
  if (depth > 1) writeTree(output, depth - 1);
  output.writeListEnd();
  output.writeFieldEnd();
  output.writeFieldStop();
  output.writeStructEnd();
}

function writeListOfBytes(output: ProtocolWriter, count: number): void {
  output.writeListBegin(Type.BYTE, count);
  for (let index = 0; index < count; index++) output.writeByte(index);
  output.writeListEnd();
}

for (const codec of codecs) {
  describe(`the limits of the ${codec.name} reader`, () => {
    const deep = { recursionLimit: 1000 };

    it("take structs as deep as the recursion limit and no deeper, read or skipped", () => {
      const allowed = written(codec, (output) => writeNestedStructs(output, 64));
      assert.equal(readNestedStructs(readerOf(codec, allowed)), 64);
      readerOf(codec, allowed).skip(Type.STRUCT);
      const writer = codec.writer(deep);
      writeNestedStructs(writer, 65);
      const reader = codec.reader();
      for (const read of [() => readNestedStructs(reader), () => reader.skip(Type.STRUCT)]) {
        reader.reset(writer.buffer, 0, writer.position);
        assert.throws(read, protocolError("depth-limit", /recursionLimit/));
      }
    });

    it("take containers as deep as the recursion limit and no deeper, read or skipped", () => {
      const allowed = written(codec, (output) => writeNestedLists(output, 64));
      assert.equal(readNestedLists(readerOf(codec, allowed)), 64);
      readerOf(codec, allowed).skip(Type.LIST);
      const refused = written(codec, (output) => writeNestedLists(output, 65));
      assert.throws(() => readNestedLists(readerOf(codec, refused)), protocolError("depth-limit"));
      assert.throws(() => readerOf(codec, refused).skip(Type.LIST), protocolError("depth-limit"));
    });

    it("count structs and containers apart, so that a tree may have as many levels as Apache's readers allow", () => {
      const tree = written(codec, (output) => writeTree(output, 64));
      readerOf(codec, tree).skip(Type.STRUCT);
    });

    it("hold anew for each message", () => {
      const messages = [
        written(codec, (output) => writeNestedStructs(output, 2)),
        written(codec, (output) => writeNestedLists(output, 2)),
        written(codec, (output) => writeListOfBytes(output, 4)),
      ];
      const reads: ((input: ProtocolReader) => unknown)[] = [
        (input) => [input.readStructBegin(), input.readFieldBegin(), input.readStructBegin()],
        (input) => [input.readListBegin(), input.readListBegin()],
        (input) => input.readListBegin(),
      ];
      const reader = codec.reader({ recursionLimit: 2, maxContainerElements: 4 });
      // Each read stops in the middle, as after an error.
      for (let round = 0; round < 3; round++) {
        for (const [index, bytes] of messages.entries()) {
          reader.reset(bytes, 0, bytes.length);
          reads[index]!(reader);
        }
      }
    });

    it("let go of depth when a struct or container ends", () => {
      const reader = codec.reader({ ...DEFAULT_READ_LIMITS, recursionLimit: 1 });
      const many = written(codec, (output) => {
        for (let index = 0; index < 3; index++) {
          writeNestedStructs(output, 1);
          output.writeListBegin(Type.BYTE, 0);
          output.writeListEnd();
          output.writeSetBegin(Type.BYTE, 0);
          output.writeSetEnd();
          output.writeMapBegin(Type.BYTE, Type.BYTE, 0);
          output.writeMapEnd();
        }
      });
      reader.reset(many, 0, many.length);
      for (let index = 0; index < 3; index++) {
        readNestedStructs(reader);
        reader.readListBegin();
        reader.readListEnd();
        reader.readSetBegin();
        reader.readSetEnd();
        reader.readMapBegin();
        reader.readMapEnd();
      }
      assert.equal(reader.position, many.length);
    });

    it("share one budget of elements among all containers of a message", () => {
      const limits = { ...DEFAULT_READ_LIMITS, maxContainerElements: 10 };
      const two = (count: number) =>
        written(codec, (output) => {
          writeListOfBytes(output, 6);
          writeListOfBytes(output, count);
        });
      const reader = readerOf(codec, two(4), limits);
      reader.skip(Type.LIST);
      reader.skip(Type.LIST);
      for (const type of [Type.LIST, Type.SET]) {
        const refusing = readerOf(codec, two(5), limits);
        refusing.skip(Type.LIST);
        assert.throws(() => refusing.skip(type), protocolError("size-limit", /maxContainerElements/));
      }
    });

    it("count a map's entries", () => {
      const map = written(codec, (output) => {
        output.writeMapBegin(Type.BYTE, Type.BYTE, 3);
        for (let index = 0; index < 6; index++) output.writeByte(index);
        output.writeMapEnd();
      });
      readerOf(codec, map, { ...DEFAULT_READ_LIMITS, maxContainerElements: 3 }).skip(Type.MAP);
      const refusing = readerOf(codec, map, { ...DEFAULT_READ_LIMITS, maxContainerElements: 2 });
      assert.throws(() => refusing.readMapBegin(), protocolError("size-limit"));
    });
  });

  describe(`the ${codec.name} reader`, () => {
    const elements = [
      ["bool", Type.BOOL, 1, 1],
      ["byte", Type.BYTE, 1, 1],
      ["i16", Type.I16, 2, 1],
      ["i32", Type.I32, 4, 1],
      ["i64", Type.I64, 8, 1],
      ["double", Type.DOUBLE, 8, 8],
      ["string", Type.STRING, 4, 1],
      ["struct", Type.STRUCT, 1, 1],
      ["map", Type.MAP, 6, 1],
      ["set", Type.SET, 5, 1],
      ["list", Type.LIST, 5, 1],
      ["uuid", Type.UUID, 16, 16],
    ] as const;

    for (const [name, type, binaryBytes, compactBytes] of elements) {
      it(`refuses a count of ${name} that the bytes left can't hold`, () => {
        const minimum = codec.name === "binary" ? binaryBytes : compactBytes;
        const header = (begin: (output: ProtocolWriter) => void, bodyBytes: number) =>
          readerOf(codec, Buffer.concat([written(codec, begin), Buffer.alloc(bodyBytes)]));
        const list = (output: ProtocolWriter) => output.writeListBegin(type, 3);
        assert.equal(header(list, 3 * minimum).readListBegin().size, 3);
        assert.equal(header(list, 3 * minimum).readSetBegin().etype, type);
        assert.throws(() => header(list, 3 * minimum - 1).readListBegin(), protocolError("truncated"));
        assert.throws(() => header(list, 3 * minimum - 1).readSetBegin(), protocolError("truncated"));
        const map = (output: ProtocolWriter) => output.writeMapBegin(Type.BYTE, type, 3);
        assert.equal(header(map, 3 * (1 + minimum)).readMapBegin().size, 3);
        assert.throws(() => header(map, 3 * (1 + minimum) - 1).readMapBegin(), protocolError("truncated"));
      });
    }

    it("refuses a count of two thousand million in a message of a few bytes", () => {
      const bytes = written(codec, (output) => output.writeListBegin(Type.STRUCT, 0x7fffffff));
      assert.throws(() => readerOf(codec, bytes).skip(Type.LIST), protocolError("truncated"));
    });

    it("refuses to skip what is no type", () => {
      const reader = readerOf(codec, Buffer.alloc(20));
      for (const type of [Type.VOID, 5, 7, 9, 17, 99, 255]) {
        assert.throws(() => reader.skip(type), protocolError("invalid-data", /unknown type/));
      }
    });

    it("refuses a range that does not lie in the buffer", () => {
      const reader = codec.reader();
      for (const [start, end] of [
        [-1, 3],
        [3, 2],
        [0, 11],
        [Number.NaN, 3],
      ] as const) {
        assert.throws(() => reader.reset(Buffer.alloc(10), start, end), RangeError);
      }
    });

    it("copies binary out of shared memory, and decodes strings out of it", () => {
      const message = written(codec, (output) => {
        output.writeBinary(Buffer.from([1, 2, 3]));
        output.writeString("short");
        output.writeString("long, and not ASCII: é".repeat(3));
        output.writeI64(5n);
      });
      const shared = Buffer.from(new SharedArrayBuffer(message.length));
      shared.set(message);
      const reader = codec.reader();
      reader.reset(shared, 0, shared.length);
      const binary = reader.readBinary();
      const strings = [reader.readString(), reader.readString()];
      const long = reader.readI64();
      shared.fill(0);
      assert.deepEqual(binary, Buffer.from([1, 2, 3]));
      assert.deepEqual(strings, ["short", "long, and not ASCII: é".repeat(3)]);
      assert.equal(long.toNumber(), 5);
      assert.equal(long.buffer.buffer.byteLength, 8);
    });
  });
}

describe("the sizes of the binary protocol", () => {
  const [binary] = codecs;

  it("may not be negative", () => {
    const minusOne = [0xff, 0xff, 0xff, 0xff];
    const read = (...bytes: number[]) => readerOf(binary!, Buffer.from([...bytes, ...minusOne, 0, 0, 0]));
    const negative = protocolError("negative-size");
    assert.throws(() => read().readString(), negative);
    assert.throws(() => read().readBinary(), negative);
    assert.throws(() => read().skip(Type.STRING), negative);
    assert.throws(() => read(Type.BYTE).readListBegin(), negative);
    assert.throws(() => read(Type.BYTE, Type.BYTE).readMapBegin(), negative);
  });

  it("come with a type that exists, unless the container is empty", () => {
    const list = (type: number, size: number) => readerOf(binary!, Buffer.from([type, 0, 0, 0, size, 0, 0]));
    for (const type of [Type.STOP, Type.VOID, 5, 17, 255]) {
      assert.throws(() => list(type, 1).readListBegin(), protocolError("invalid-data", /unknown type/));
      assert.equal(list(type, 0).readListBegin().size, 0);
    }
    const map = Buffer.from([Type.BYTE, Type.STOP, 0, 0, 0, 1, 0, 0]);
    assert.throws(() => readerOf(binary!, map).readMapBegin(), protocolError("invalid-data"));
  });

  it("of message headers in the old form are lengths of the name", () => {
    const old = Buffer.from([0, 0, 0, 4, ...Buffer.from("ping"), 1, 0, 0, 0, 9]);
    assert.deepEqual(readerOf(binary!, old).readMessageBegin(), { fname: "ping", mtype: 1, rseqid: 9 });
  });

  it("do not help a message of another version", () => {
    const other = Buffer.from([0x80, 0x02, 0, 1, 0, 0, 0, 0]);
    assert.throws(() => readerOf(binary!, other).readMessageBegin(), protocolError("bad-version"));
  });
});
