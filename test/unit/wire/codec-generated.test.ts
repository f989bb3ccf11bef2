import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toInt64 } from "../../../src/wire/int64.ts";
import type { ProtocolReader, ProtocolWriter } from "../../../src/wire/protocol.ts";
import { MessageType, Type } from "../../../src/wire/protocol.ts";
import { ProtocolError } from "../../../src/wire/protocol-error.ts";
import { codecs, protocolError, readerOf, written } from "./codec-support/codecs.ts";
import { packageCodec } from "./codec-support/package-codec.ts";
import type { Input, Output } from "./codec-support/schema.ts";

interface Generated {
  read(input: Input): void;
  write(output: Output): void;
}
type GeneratedClass = new (fields?: object) => Generated;

const require = createRequire(import.meta.url);
const ledgerTypes = require("../../../gen/ledger_types.js") as Record<
  "Entry" | "Receipt" | "Audit",
  GeneratedClass
>;
const ledger = require("../../../gen/Ledger.js") as {
  Client: new (output: object, Protocol: new () => object) => Record<string, (...args: unknown[]) => unknown>;
};
const { Entry, Receipt, Audit } = ledgerTypes;

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(toInt64);
const text = fc.string({ unit: "grapheme", maxLength: 30 });
const entries = fc.record({ id: text, debit: text, credit: text, amount: int64, memo: fc.option(text) });
const receipts = fc.record({ seq: int64, duplicate: fc.boolean() });
const audits = fc.record({ ok: fc.boolean(), entries: int64, head: text, brokenAt: fc.option(int64) });

/** The shape that compilers after 0.23 give a struct. */
class NewerNode {
  name: string | null = null;
  child: NewerNode | null = null;

  [Symbol.for("read")](input: ProtocolReader): void {
    input.incrementRecursionDepth();
    try {
      input.readStructBegin();
      while (true) {
        const { ftype, fid } = input.readFieldBegin();
        if (ftype === Type.STOP) break;
        if (fid === 1 && ftype === Type.STRING) this.name = input.readString();
        else if (fid === 2 && ftype === Type.STRUCT) {
          this.child = new NewerNode();
          this.child.#read(input);
        } else input.skip(ftype);
        input.readFieldEnd();
      }
      input.readStructEnd();
    } finally {
      input.decrementRecursionDepth();
    }
  }

  [Symbol.for("write")](output: ProtocolWriter): void {
    output.incrementRecursionDepth();
    try {
      output.writeStructBegin("NewerNode");
      if (this.name !== null) {
        output.writeFieldBegin("name", Type.STRING, 1);
        output.writeString(this.name);
        output.writeFieldEnd();
      }
      if (this.child !== null) {
        output.writeFieldBegin("child", Type.STRUCT, 2);
        this.child.write(output);
        output.writeFieldEnd();
      }
      output.writeFieldStop();
      output.writeStructEnd();
    } finally {
      output.decrementRecursionDepth();
    }
  }

  write(output: ProtocolWriter): void {
    (this as unknown as Record<symbol, (output: ProtocolWriter) => void>)[Symbol.for("write")]!(output);
  }

  #read(input: ProtocolReader): void {
    (this as unknown as Record<symbol, (input: ProtocolReader) => void>)[Symbol.for("read")]!(input);
  }

  static read(input: ProtocolReader): NewerNode {
    const node = new NewerNode();
    node.#read(input);
    return node;
  }

  static ofDepth(depth: number): NewerNode {
    const node = new NewerNode();
    node.name = `node ${depth}`;
    if (depth > 1) node.child = NewerNode.ofDepth(depth - 1);
    return node;
  }
}

for (const codec of codecs) {
  const reference = packageCodec(codec.name);

  describe(`generated code over the ${codec.name} codec`, () => {
    const structs: [string, GeneratedClass, fc.Arbitrary<object>][] = [
      ["Entry", Entry, entries],
      ["Receipt", Receipt, receipts],
      ["Audit", Audit, audits],
    ];
    for (const [name, Struct, fields] of structs) {
      it(`writes and reads ${name} as the thrift package does`, () => {
        fc.assert(
          fc.property(fields, (values) => {
            const struct = new Struct(values);
            const ours = written(codec, (output) => struct.write(output));
            assert.deepEqual(
              ours,
              reference.written((output) => struct.write(output)),
            );
            const read = new Struct();
            read.read(readerOf(codec, ours));
            assert.deepEqual(read, struct);
            const readByPackage = new Struct();
            readByPackage.read(reference.reader(ours));
            assert.deepEqual(readByPackage, struct);
          }),
        );
      });
    }

    it("turns a field of the wrong type into a ProtocolError that names the method and the value", () => {
      const refused = (fields: object, message: RegExp) =>
        assert.throws(
          () => written(codec, (output) => new Entry(fields).write(output)),
          protocolError("invalid-data", message),
        );
      refused({ id: 7 }, /^writeString: 7 /);
      refused({ id: "a", amount: 1.5 }, /^writeI64: 1.5 /);
      refused({ id: "a", amount: "many" }, /^writeI64: "many" /);
    });

    it("writes after an error as if nothing had happened", () => {
      const writer = codec.writer();
      assert.throws(() => new Entry({ id: "a", debit: 5 }).write(writer), ProtocolError);
      writer.reset(0);
      const entry = new Entry({ id: "a", debit: "b", credit: "c", amount: toInt64(1) });
      entry.write(writer);
      assert.deepEqual(
        writer.buffer.subarray(0, writer.position),
        reference.written((output) => entry.write(output)),
      );
    });

    it("works for a generated client: arguments, message header, and the reset after an error", () => {
      const writer = codec.writer();
      // A client makes a protocol for each call; here each of them is this one.
      const Protocol = new Proxy(class {}, { construct: () => writer });
      const client = new ledger.Client({ flush() {} }, Protocol);
      client["send_track"]!("hits", toInt64(3));
      const reader = codec.reader();
      reader.reset(writer.buffer, 0, writer.position);
      assert.deepEqual(reader.readMessageBegin(), { fname: "track", mtype: MessageType.ONEWAY, rseqid: 0 });
      reader.skip(Type.STRUCT);
      assert.equal(reader.position, writer.position);

      writer.reset(0);
      assert.throws(() => client["send_track"]!("hits", "many"), protocolError("invalid-data", /writeI64/));
      assert.equal(writer.position, 0);

      client["send_postAll"]!([entryFields("a"), entryFields("b")]);
      reader.reset(writer.buffer, 0, writer.position);
      assert.equal(reader.readMessageBegin().fname, "postAll");
      reader.skip(Type.STRUCT);
      assert.equal(reader.position, writer.position);
    });

    it("of newer compilers counts each struct once", () => {
      const deepest = NewerNode.ofDepth(64);
      const bytes = written(codec, (output) => deepest.write(output));
      assert.deepEqual(NewerNode.read(readerOf(codec, bytes)), deepest);
      assert.throws(
        () => written(codec, (output) => NewerNode.ofDepth(65).write(output)),
        protocolError("depth-limit"),
      );
    });
  });
}

function entryFields(id: string): object {
  return { id, debit: "a", credit: "b", amount: toInt64(1) };
}
