/** What cutting costs: in proportion to the bytes, whatever the pieces in which they come. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BinaryScanner } from "../../../src/wire/binary-scanner.ts";
import { CompactScanner } from "../../../src/wire/compact-scanner.ts";
import { JsonScanner } from "../../../src/wire/json-scanner.ts";
import { Type } from "../../../src/wire/protocol.ts";
import type { ProtocolName } from "../../../src/wire/protocol-names.ts";
import type { Scanner } from "../../../src/wire/scanner.ts";
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

const scanners = [BinaryScanner, CompactScanner, JsonScanner] as unknown as { prototype: Scanner }[];

for (const { name, make } of forms) {
  describe(`cutting ${name}`, () => {
    const large = make(16);
    for (const size of pieceSizes) {
      it(`looks at each byte of 16 MB once and copies it a few times, in pieces of ${size}`, (t) => {
        // Not with a mock of node:test, which remembers every call.
        let work = 0;
        for (const { prototype } of scanners) {
          const { scan } = prototype;
          prototype.scan = function (this: Scanner, bytes: Buffer, at: number, end: number) {
            const next = scan.call(this, bytes, at, end);
            work += 1 + next - at;
            return next;
          };
          t.after(() => {
            prototype.scan = scan;
          });
        }
        let copied = 0;
        const { copy } = Buffer.prototype;
        Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer["copy"]>) {
          const count = copy.apply(this, args);
          copied += count;
          return count;
        };
        t.after(() => {
          Buffer.prototype.copy = copy;
        });
        feedInPieces(large, size);
        const count = Math.ceil(large.length / size);
        assert.ok(work <= large.length + 2 * count, `${work} bytes looked at, of ${large.length}`);
        assert.ok(copied <= 4 * large.length, `${copied} bytes copied, of ${large.length}`);
      });
    }

    it("takes four times as long for four times the bytes", () => {
      const small = make(4);
      for (const size of [64, 65_536]) {
        feedInPieces(small, size);
        // The least of several: what disturbs a measurement only makes it longer.
        const ofSmall = leastCpuMs(() => feedInPieces(small, size));
        const ofLarge = leastCpuMs(() => feedInPieces(large, size));
        assert.ok(
          ofLarge <= 1.6 * 4 * ofSmall + 20,
          `${ofLarge} ms for 16 MB, ${ofSmall} ms for 4, pieces of ${size}`,
        );
      }
    });
  });
}

function leastCpuMs(run: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const before = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}
