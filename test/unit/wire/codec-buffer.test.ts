import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageType, type ProtocolWriter, Type } from "../../../src/wire/protocol.ts";
import { codecs, protocolError, written } from "./codec-support/codecs.ts";

for (const codec of codecs) {
  describe(`the ${codec.name} writer's buffer`, () => {
    it("grows by doubling and keeps what was written", () => {
      const writer = codec.writer({ initialCapacityBytes: 64 });
      const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`);
      for (const text of texts) writer.writeString(text);
      assert.equal(writer.buffer.length & (writer.buffer.length - 1), 0);
      const reader = codec.reader();
      reader.reset(writer.buffer, 0, writer.position);
      assert.deepEqual(
        texts.map(() => reader.readString()),
        texts,
      );
    });

    it("grows under every method, wherever its end is, and writes the same bytes", () => {
      const writes: ((output: ProtocolWriter) => void)[] = [
        (output) => output.writeBool(true),
        (output) => output.writeByte(1),
        (output) => output.writeI16(300),
        (output) => output.writeI32(-70_000),
        (output) => output.writeI64(-1n),
        (output) => output.writeDouble(1.5),
        (output) => output.writeString("short"),
        (output) => output.writeString("é".repeat(3000)),
        (output) => output.writeBinary(Buffer.alloc(3000, 7)),
        (output) => output.writeFieldBegin("f", Type.I32, 300),
        (output) => output.writeFieldStop(),
        (output) => output.writeListBegin(Type.BYTE, 200),
        (output) => output.writeSetBegin(Type.BYTE, 200),
        (output) => output.writeMapBegin(Type.BYTE, Type.BYTE, 200),
        (output) => output.writeMessageBegin("name", MessageType.REPLY, 70_000),
        (output) => output.writeUuid("01234567-89ab-cdef-0123-456789abcdef"),
      ];
      const capacity = 64;
      for (const write of writes) {
        const expected = written(codec, write).toString("hex");
        for (let left = 0; left <= 24; left++) {
          const writer = codec.writer({ initialCapacityBytes: capacity });
          const start = writer.reserve(capacity - left) + capacity - left;
          write(writer);
          const got = writer.buffer.subarray(start, writer.position).toString("hex");
          assert.equal(got, expected, `${write}, with ${left} bytes left`);
        }
      }
    });

    it("has room for text of any length", () => {
      for (const length of [300, 1023, 1024, 1025, 3000]) {
        const writer = codec.writer({ initialCapacityBytes: 16 });
        writer.writeString("€".repeat(length));
        const reader = codec.reader();
        reader.reset(writer.buffer, 0, writer.position);
        assert.equal(reader.readString(), "€".repeat(length));
      }
    });

    it("leaves a gap for the length of a frame", () => {
      const writer = codec.writer({ initialCapacityBytes: 8 });
      writer.reset(6);
      const gap = writer.reserve(4);
      assert.equal(gap, 6);
      writer.writeString("a message");
      writer.buffer.writeInt32BE(writer.position - gap - 4, gap);
      const reader = codec.reader();
      reader.reset(writer.buffer, gap + 4, writer.position);
      assert.equal(reader.readString(), "a message");
      assert.equal(writer.buffer.readInt32BE(gap), writer.position - 10);
    });

    it("shrinks to its initial capacity on a reset when it had grown beyond 1 MiB, and keeps what lies before", () => {
      const writer = codec.writer({ initialCapacityBytes: 256 });
      writer.writeString("kept");
      const kept = writer.position;
      writer.writeBinary(Buffer.alloc((1 << 20) + 1));
      assert.ok(writer.buffer.length > 1 << 20);
      writer.reset(kept);
      assert.equal(writer.buffer.length, 256);
      const reader = codec.reader();
      reader.reset(writer.buffer, 0, writer.position);
      assert.equal(reader.readString(), "kept");
    });

    it("does not shrink when it has not grown beyond 1 MiB, or when what is kept would not fit", () => {
      const small = codec.writer({ initialCapacityBytes: 256 });
      small.writeBinary(Buffer.alloc(1000));
      small.reset(0);
      assert.ok(small.buffer.length > 256);
      const full = codec.writer({ initialCapacityBytes: 256 });
      full.writeBinary(Buffer.alloc(1 << 21, 7));
      full.reset(full.position);
      assert.equal(full.buffer[full.position - 1], 7);
    });

    it("goes back without an argument to where the last reset with one went", () => {
      const writer = codec.writer();
      writer.writeString("first");
      const second = writer.position;
      writer.reset(second);
      writer.writeString("second");
      writer.reset();
      assert.equal(writer.position, second);
    });

    it("refuses a position outside of it", () => {
      const writer = codec.writer({ initialCapacityBytes: 64 });
      for (const position of [-1, 65, Number.NaN]) assert.throws(() => writer.reset(position), RangeError);
    });

    it("does not grow beyond maxBytes", () => {
      const writer = codec.writer({ initialCapacityBytes: 64, maxBytes: 100 });
      assert.throws(() => writer.writeBinary(Buffer.alloc(100)), protocolError("size-limit", /maxBytes/));
      writer.reset(0);
      writer.writeBinary(Buffer.alloc(90));
      assert.ok(writer.buffer.length <= 100);
    });

    it("is not flushed anywhere", () => {
      const writer = codec.writer();
      writer.writeByte(1);
      assert.equal(writer.flush(), undefined);
      assert.equal(writer.getTransport().flush(), undefined);
      assert.equal(writer.position, 1);
    });
  });

  describe(`the ${codec.name} writer's structure`, () => {
    it("must hold as many elements as were announced", () => {
      const writer = codec.writer();
      writer.writeListBegin(Type.I32, 2);
      writer.writeI32(1);
      assert.throws(
        () => writer.writeListEnd(),
        protocolError("invalid-data", /^writeListEnd: 2 .* 1 .*sparse/),
      );
      writer.reset(0);
      writer.writeSetBegin(Type.BOOL, 1);
      writer.writeBool(true);
      writer.writeBool(true);
      assert.throws(() => writer.writeSetEnd(), protocolError("invalid-data", /^writeSetEnd/));
      writer.reset(0);
      writer.writeMapBegin(Type.BYTE, Type.STRING, 1);
      writer.writeByte(1);
      assert.throws(() => writer.writeMapEnd(), protocolError("invalid-data", /^writeMapEnd/));
    });

    it("counts containers and structs as elements of what is around them", () => {
      const writer = codec.writer();
      writer.writeMapBegin(Type.STRING, Type.LIST, 1);
      writer.writeString("key");
      writer.writeListBegin(Type.STRUCT, 2);
      for (const value of [1, 2]) {
        writer.writeStructBegin("S");
        writer.writeFieldBegin("a", Type.I64, 1);
        writer.writeI64(value);
        writer.writeFieldBegin("b", Type.DOUBLE, 2);
        writer.writeDouble(value);
        writer.writeFieldBegin("c", Type.UUID, 3);
        writer.writeUuid("00000000-0000-0000-0000-000000000001");
        writer.writeFieldStop();
        writer.writeStructEnd();
      }
      writer.writeListEnd();
      writer.writeMapEnd();
    });

    it("has sizes that are counts", () => {
      const writer = codec.writer();
      for (const size of [undefined, null, -1, 1.5, Number.NaN, 2 ** 31, "1"] as unknown as number[]) {
        const invalid = protocolError("invalid-data", /container's size/);
        assert.throws(() => writer.writeListBegin(Type.I32, size), invalid);
        assert.throws(() => writer.writeSetBegin(Type.I32, size), invalid);
        assert.throws(() => writer.writeMapBegin(Type.I32, Type.I32, size), invalid);
      }
    });

    it("is no deeper than readers take it, so that a value which contains itself ends as an error", () => {
      const writer = codec.writer();
      const writeItself = (): void => {
        writer.writeStructBegin("Ring");
        writer.writeFieldBegin("next", Type.STRUCT, 1);
        writeItself();
      };
      assert.throws(writeItself, protocolError("depth-limit", /recursionLimit/));
      writer.reset(0);
      writer.writeStructBegin("Fine");
    });

    it("is forgotten at a reset", () => {
      const writer = codec.writer();
      writer.writeStructBegin("S");
      writer.writeFieldBegin("list", Type.LIST, 3);
      writer.writeListBegin(Type.STRUCT, 2);
      writer.writeStructBegin("S");
      writer.writeFieldBegin("flag", Type.BOOL, 4);
      writer.reset(0);
      const fresh = codec.writer();
      for (const output of [writer, fresh]) {
        output.writeStructBegin("S");
        output.writeFieldBegin("list", Type.LIST, 4);
        output.writeListBegin(Type.BOOL, 1);
        output.writeBool(true);
        output.writeListEnd();
        output.writeFieldStop();
        output.writeStructEnd();
      }
      assert.deepEqual(writer.buffer.subarray(0, writer.position), fresh.buffer.subarray(0, fresh.position));
    });
  });
}
