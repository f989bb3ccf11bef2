import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteRing } from "../../../src/pool/byte-ring.ts";

const capacity = 64;
const pieces = 16;

interface Piece {
  readonly from: number;
  readonly to: number;
}

/** Steps of a random run: reserve so many bytes, or release so many of the oldest pieces. Half the ring always fits an empty one. */
const steps: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: -4, max: capacity / 2 }), {
  maxLength: 400,
});

/** Runs steps against a ring and a list of the pieces that are held. */
function runSteps(given: readonly number[]): void {
  const ring = new ByteRing(capacity, pieces);
  const held: Piece[] = [];
  let released = 0;
  for (const step of given) {
    if (step < 0) {
      const count = Math.min(held.length, -step);
      held.splice(0, count);
      released = (released + count) | 0;
      ring.releaseUntil(released);
      continue;
    }
    if (held.length === pieces) continue;
    const from = ring.reserve(step);
    if (from < 0) {
      assert.ok(held.length > 0, `an empty ring refused ${step} bytes`);
      continue;
    }
    ring.commit();
    const piece = { from, to: from + step };
    assert.ok(piece.to <= capacity, "a piece lies inside the ring");
    for (const other of held) {
      assert.ok(piece.to <= other.from || other.to <= piece.from, "no piece lies over one that is held");
    }
    held.push(step > 0 ? piece : { from: -1, to: -1 });
  }
}

describe("a ring of bytes", () => {
  it("never gives out bytes that are held, whatever is reserved and released", () => {
    fc.assert(fc.property(steps, runSteps), { numRuns: 500 });
  });

  it("goes on when its counts pass 32 bits", () => {
    const ring = new ByteRing(2 ** 28, 4);
    for (let round = 1; round <= 40; round++) {
      assert.notEqual(ring.reserve(2 ** 28), -1, `round ${round}`);
      ring.commit();
      assert.equal(ring.reserve(1), -1, `round ${round} is full`);
      ring.releaseUntil(round);
    }
  });

  it("leaves out what does not fit before its end", () => {
    const ring = new ByteRing(64, 16);
    assert.equal(ring.reserve(40), 0);
    ring.commit();
    ring.releaseUntil(1);
    assert.equal(ring.reserve(30), 0, "24 bytes are left before the end");
    ring.commit();
    assert.equal(ring.reserve(11), -1, "only 10 bytes of the first piece are left");
    assert.equal(ring.reserve(10), 30);
  });

  it("refuses when it is full and takes again what was refused once there is room", () => {
    const ring = new ByteRing(64, 16);
    ring.reserve(32);
    ring.commit();
    ring.reserve(32);
    ring.commit();
    assert.equal(ring.reserve(1), -1);
    ring.releaseUntil(1);
    assert.equal(ring.reserve(32), 0);
  });

  it("releases the pieces of one reservation one by one", () => {
    const ring = new ByteRing(64, 16);
    assert.equal(ring.reserve(48), 0);
    ring.commit(32);
    ring.commit(16);
    ring.commit();
    assert.equal(ring.reserve(16), 48);
    ring.commit();
    ring.releaseUntil(1);
    assert.equal(ring.reserve(17), -1, "only the first piece is free");
    assert.equal(ring.reserve(16), 0);
  });
});
