import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Inbox } from "../../../src/wire/inbox.ts";
import { encode, frame, limits, type Made, Stream } from "./cutting.ts";

/** Counts the bytes that are copied from buffer to buffer while `work` runs. */
function copiedBytes(work: () => void): number {
  const original = Buffer.prototype.copy;
  let total = 0;
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof original>): number {
    const copied = original.apply(this, args);
    total += copied;
    return copied;
  };
  try {
    work();
  } finally {
    Buffer.prototype.copy = original;
  }
  return total;
}

/** Reads bytes in pieces; the pieces are not copied by the test. */
function readInPieces(stream: Stream, bytes: Buffer, piece: number): void {
  for (let at = 0; at < bytes.length; at += piece) {
    stream.inbox.append(bytes.subarray(at, at + piece), true);
    stream.work();
    stream.inbox.keep(true);
  }
}

const call: Made = { name: "put", seqid: 1, type: 1, body: [] };

describe("the inbox", () => {
  for (const form of ["framed-strict", "strict"] as const) {
    it(`copies a message of 16 MB (${form}) a bounded number of times, in pieces of any size`, () => {
      const size = 16_000_000;
      const large = { ...limits, maxFrameSizeBytes: 2 * size, maxMessageSizeBytes: 2 * size };
      const bytes = encode({ ...call, body: [{ text: "x".repeat(size) }] }, form);
      for (const piece of [64, 1500, 65_536]) {
        const stream = new Stream(large);
        const copied = copiedBytes(() => readInPieces(stream, bytes, piece));
        assert.equal(stream.cut.length, 1);
        assert.ok(copied < 4 * bytes.length, `${copied} bytes were copied in pieces of ${piece}`);
      }
    });
  }

  it("copies no more for a message that comes byte by byte", () => {
    const size = 1_000_000;
    const bytes = encode({ ...call, body: [{ text: "x".repeat(size) }] }, "framed-strict");
    const stream = new Stream();
    const copied = copiedBytes(() => readInPieces(stream, bytes, 1));
    assert.equal(stream.cut.length, 1);
    assert.ok(copied < 4 * bytes.length, `${copied} bytes were copied`);
  });

  it("copies nothing of chunks that hold whole messages", () => {
    const bytes = Buffer.concat(Array.from({ length: 100 }, () => encode(call, "framed-strict")));
    const stream = new Stream();
    const copied = copiedBytes(() => readInPieces(stream, bytes, bytes.length));
    assert.equal(stream.cut.length, 100);
    assert.equal(copied, 0);
  });

  it("makes no room for a message that only says that it is large", () => {
    const inbox = new Inbox();
    const stream = new Stream({ ...limits, maxFrameSizeBytes: 1 << 30 });
    const head = frame(Buffer.alloc(20, 0)).fill(0x80, 4, 5).fill(1, 5, 6);
    head.writeInt32BE(1 << 29, 0);
    stream.read(head);
    assert.ok(stream.inbox.peek().bytes.length <= 256 * 1024);
    assert.equal(inbox.length, 0);
  });

  it("keeps bytes that messages were cut from until it is told that they were handed over", () => {
    const first = encode({ ...call, body: [{ text: "first".repeat(100) }] }, "framed-strict");
    const second = encode({ ...call, body: [{ text: "other".repeat(100) }] }, "framed-strict");
    const stream = new Stream();
    const [a, b] = [new Inbox(), new Inbox()];
    const views: Buffer[] = [];
    const sink = {
      message: ({ bytes, start, end }: { bytes: Buffer; start: number; end: number }) => {
        views.push(bytes.subarray(start, end));
        return true;
      },
    };
    stream.read(first.subarray(0, 10));
    const cutter = stream.cutter!;
    for (const [inbox, message] of [
      [a, first],
      [b, second],
    ] as const) {
      inbox.append(message.subarray(0, 50), true);
      inbox.keep(true);
      inbox.append(message.subarray(50), true);
      inbox.cut(cutter, sink);
      // Calls still refer to them: they wait for room.
      inbox.keep(false);
    }
    assert.deepEqual(views, [first.subarray(4), second.subarray(4)]);
  });
});
