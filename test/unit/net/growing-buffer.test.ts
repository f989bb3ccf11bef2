import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingBuffer } from "../../../src/net/growing-buffer.ts";

test("pieces of any size come out as one, and take at most twice their size", () => {
  for (const size of [1, 3, 1000, 70_000]) {
    const whole = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7) & 0xff));
    for (const announced of [0, whole.length, 10 * whole.length]) {
      const body = new GrowingBuffer();
      for (let at = 0; at < whole.length; at += size) {
        body.append(whole.subarray(at, at + size), announced);
        assert.ok(body.heldBytes <= Math.max(128 * 1024, 4 * body.length), `${body.heldBytes}`);
      }
      assert.equal(body.length, whole.length);
      assert.ok(body.take().equals(whole));
      assert.deepEqual([body.length, body.heldBytes], [0, 0]);
    }
  }
});

test("what comes in one piece is not copied", () => {
  const body = new GrowingBuffer();
  const piece = Buffer.from("whole");
  body.append(piece, 5);
  assert.equal(body.take().buffer, piece.buffer);
});

test("nothing is one piece too", () => {
  assert.equal(new GrowingBuffer().take().length, 0);
});
