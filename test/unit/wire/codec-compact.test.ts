import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactReader } from "../../../src/wire/compact-reader.ts";
import { CompactWriter } from "../../../src/wire/compact-writer.ts";
import { toBigInt } from "../../../src/wire/int64.ts";
import type { ProtocolWriter } from "../../../src/wire/protocol.ts";
import { MessageType, Type } from "../../../src/wire/protocol.ts";
import { protocolError } from "./codec-support/codecs.ts";

function bytesOf(write: (output: ProtocolWriter) => void): string {
  const writer = new CompactWriter();
  write(writer);
  return writer.buffer.toString("hex", 0, writer.position);
}

function read(...bytes: number[]): CompactReader {
  const reader = new CompactReader();
  reader.reset(Buffer.from(bytes), 0, bytes.length);
  return reader;
}

// The expected bytes are worked out from Apache's compact protocol specification.
describe("the compact protocol", () => {
  it("begins a message with its id, its version with the type in the upper bits, and an unsigned seqid", () => {
    assert.equal(
      bytesOf((output) => output.writeMessageBegin("m", MessageType.CALL, 1)),
      "822101016d",
    );
    assert.equal(
      bytesOf((output) => output.writeMessageBegin("m", MessageType.ONEWAY, -1)),
      "8281ffffffff0f016d",
    );
  });

  it("refuses another id and another version", () => {
    assert.throws(() => read(0x81, 0x21, 1, 0).readMessageBegin(), protocolError("bad-version"));
    assert.throws(() => read(0x82, 0x22, 1, 0).readMessageBegin(), protocolError("bad-version"));
  });

  it("folds bools into field headers, also with long ids, and writes them as bytes in containers", () => {
    const hex = bytesOf((output) => {
      output.writeStructBegin("S");
      output.writeFieldBegin("near", Type.BOOL, 1);
      output.writeBool(true);
      output.writeFieldBegin("far", Type.BOOL, 100);
      output.writeBool(false);
      output.writeFieldBegin("list", Type.LIST, 101);
      output.writeListBegin(Type.BOOL, 2);
      output.writeBool(true);
      output.writeBool(false);
      output.writeListEnd();
      output.writeFieldStop();
      output.writeStructEnd();
    });
    assert.equal(hex, "1102c8011921010200");
  });

  it("takes either number for the type of a container's bools", () => {
    for (const type of [1, 2]) {
      const reader = read(0x20 | type, 1, 2);
      assert.deepEqual({ ...reader.readListBegin() }, { etype: Type.BOOL, size: 2 });
      assert.deepEqual([reader.readBool(), reader.readBool()], [true, false]);
    }
  });

  it("forgets a bool field that was skipped", () => {
    const reader = read(0x11, 0x13, 5, 0x00);
    reader.readStructBegin();
    reader.skip(reader.readFieldBegin().ftype);
    assert.equal(reader.readFieldBegin().ftype, Type.BYTE);
    assert.equal(reader.readByte(), 5);
  });

  it("forgets a bool field at the next message", () => {
    const reader = read(0x11);
    reader.readFieldBegin();
    reader.reset(Buffer.from([0x02]), 0, 1);
    assert.equal(reader.readBool(), false);
    assert.throws(() => reader.readBool(), protocolError("truncated"));
  });

  it("goes back to the outer struct's field ids when an inner struct ends", () => {
    const hex = bytesOf((output) => {
      output.writeStructBegin("Outer");
      output.writeFieldBegin("inner", Type.STRUCT, 7);
      output.writeStructBegin("Inner");
      output.writeFieldBegin("byte", Type.BYTE, 2);
      output.writeByte(1);
      output.writeFieldStop();
      output.writeStructEnd();
      output.writeFieldBegin("byte", Type.BYTE, 9);
      output.writeByte(2);
      output.writeFieldStop();
      output.writeStructEnd();
    });
    assert.equal(hex, "7c230100230200");
    const reader = read(...Buffer.from(hex, "hex"));
    reader.readStructBegin();
    assert.equal(reader.readFieldBegin().fid, 7);
    reader.skip(Type.STRUCT);
    assert.equal(reader.readFieldBegin().fid, 9);
  });

  it("writes ids that go down, or up by more than 15, in full", () => {
    const hex = bytesOf((output) => {
      output.writeStructBegin("S");
      for (const id of [20, 35, 34, -1]) {
        output.writeFieldBegin("byte", Type.BYTE, id);
        output.writeByte(0);
      }
    });
    assert.equal(hex, "032800f3000344000301" + "00");
  });

  it("writes up to 14 elements in the short form, an empty map as one byte", () => {
    assert.equal(
      bytesOf((output) => output.writeListBegin(Type.I32, 14)),
      "e5",
    );
    assert.equal(
      bytesOf((output) => output.writeSetBegin(Type.I32, 15)),
      "f50f",
    );
    assert.equal(
      bytesOf((output) => output.writeMapBegin(Type.I32, Type.STRING, 0)),
      "00",
    );
    assert.equal(
      bytesOf((output) => output.writeMapBegin(Type.I32, Type.STRING, 1)),
      "0158",
    );
    assert.deepEqual({ ...read(0).readMapBegin() }, { ktype: Type.STOP, vtype: Type.STOP, size: 0 });
  });

  it("writes doubles in little-endian order", () => {
    assert.equal(
      bytesOf((output) => output.writeDouble(1)),
      "000000000000f03f",
    );
  });

  it("bounds integers of 32 bits to 5 bytes and 32 bits", () => {
    assert.equal(read(0xff, 0xff, 0xff, 0xff, 0x0f).readI32(), -(2 ** 31));
    assert.throws(() => read(0xff, 0xff, 0xff, 0xff, 0x1f).readI32(), protocolError("invalid-data"));
    assert.throws(() => read(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).readI32(), protocolError("invalid-data"));
  });

  it("bounds integers of 64 bits to 10 bytes and 64 bits", () => {
    const nine = new Array<number>(9).fill(0xff);
    assert.equal(toBigInt(read(...nine, 0x01).readI64()), -(2n ** 63n));
    assert.throws(() => read(...nine, 0x02).readI64(), protocolError("invalid-data"));
    assert.throws(() => read(...nine, 0x80, 0x00).readI64(), protocolError("invalid-data"));
  });

  it("refuses an i16 that has more than 16 bits", () => {
    assert.equal(read(0xff, 0xff, 0x03).readI16(), -32768);
    assert.throws(() => read(0x80, 0x80, 0x04).readI16(), protocolError("invalid-data", /16-bit/));
  });

  it("refuses types that it does not have, and sizes of 2^31 and more as negative", () => {
    assert.throws(() => read(0x1e).readFieldBegin(), protocolError("invalid-data", /unknown type/));
    assert.throws(() => read(0x1f, 0).readListBegin(), protocolError("invalid-data", /unknown type/));
    assert.throws(() => read(0x10, 0).readListBegin(), protocolError("invalid-data", /unknown type/));
    assert.throws(() => read(0x01, 0x30, 0).readMapBegin(), protocolError("invalid-data", /unknown type/));
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert.throws(() => read(...huge).readString(), protocolError("negative-size"));
    assert.throws(() => read(...huge).readBinary(), protocolError("negative-size"));
    assert.throws(() => read(...huge).skip(Type.STRING), protocolError("negative-size"));
    assert.throws(() => read(0xf3, ...huge).readListBegin(), protocolError("negative-size"));
    assert.throws(() => read(...huge, 0x33).readMapBegin(), protocolError("negative-size"));
  });
});
