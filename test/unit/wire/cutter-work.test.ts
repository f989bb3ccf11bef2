/** What cutting costs: in proportion to the bytes, whatever the pieces in which they come. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { BinaryScanner } from "../../../src/wire/binary-scanner.ts";
import { CompactScanner } from "../../../src/wire/compact-scanner.ts";
import { JsonScanner } from "../../../src/wire/json-scanner.ts";
import { Type } from "../../../src/wire/protocol.ts";
import type { ProtocolName } from "../../../src/wire/protocol-names.ts";
import { call, Feed, framed, limits, protocols, theader } from "./cutter-support.ts";

const megabyte = 1024 * 1024;
const pieceSizes = [1, 7, 1024, 65_536];
const roomy = { ...limits, maxFrameSizeBytes: 32 * megabyte };

/** A message of so many megabytes. */
function largeCall(protocol: ProtocolName, megabytes: number): Buffer {
  return call(protocol, "large", 1, (output) => {
    output.writeFieldBegin("field", Type.LIST, 1);
    output.writeListBegin(Type.STRING, megabytes);
    for (let item = 0; item < megabytes; item++) output.writeString("y".repeat(megabyte));
    output.writeListEnd();
    output.writeFieldEnd();
  });
}

const forms: readonly { readonly name: string; make(megabytes: number): Buffer }[] = [
  ...protocols.map((protocol) => ({
    name: `unframed ${protocol}`,
    make: (megabytes: number) => largeCall(protocol, megabytes),
  })),
  { name: "framed binary", make: (megabytes) => framed(largeCall("binary", megabytes)) },
  { name: "THeader", make: (megabytes) => theader(largeCall("compact", megabytes), { protocolId: 2 }) },
];

function feedInPieces(bytes: Buffer, size: number): void {
  const feed = new Feed(roomy);
  for (let at = 0; at < bytes.length; at += size) feed.feed(bytes.subarray(at, at + size));
  assert.equal(feed.taken.length, 1);
}

const scanners = [BinaryScanner, CompactScanner, JsonScanner];

for (const { name, make } of forms) {
  describe(`cutting ${name}`, () => {
    const large = make(16);
    for (const size of pieceSizes) {
      it(`looks at each byte of 16 MB once and copies it a few times, in pieces of ${size}`, (t) => {
        const work = scanners.map(({ prototype }) =>
          count<number>(t, prototype, "scan", (next, _bytes, at) => 1 + next - at),
        );
        const copied = count<number>(t, Buffer.prototype, "copy", (bytes) => bytes);
        const made = ["allocUnsafeSlow", "allocUnsafe", "concat", "from"].map((name) =>
          count<Buffer>(t, Buffer, name, (buffer) => buffer.length),
        );
        feedInPieces(large, size);
        const pieces = Math.ceil(large.length / size);
        const lookedAt = sum(work);
        assert.ok(lookedAt <= large.length + 2 * pieces, `${lookedAt} bytes looked at, of ${large.length}`);
        assert.ok(copied.sum <= 4 * large.length, `${copied.sum} bytes copied, of ${large.length}`);
        assert.ok(sum(made) <= 4 * large.length, `${sum(made)} bytes of buffers made, of ${large.length}`);
      });
    }
  });
}

interface Count {
  sum: number;
}

/** Adds up something of all calls of a method until the test ends. Not a mock of node:test, which remembers every call. */
function count<Result>(
  t: TestContext,
  object: object,
  name: string,
  amount: (result: Result, first: number, second: number) => number,
): Count {
  const counted: Count = { sum: 0 };
  const methods = object as Record<string, (...args: unknown[]) => Result>;
  const original = methods[name]!;
  methods[name] = function (this: unknown, ...args: unknown[]): Result {
    const result = original.apply(this, args);
    counted.sum += amount(result, args[0] as number, args[1] as number);
    return result;
  };
  t.after(() => {
    methods[name] = original;
  });
  return counted;
}

function sum(counts: readonly Count[]): number {
  return counts.reduce((all, { sum: one }) => all + one, 0);
}
