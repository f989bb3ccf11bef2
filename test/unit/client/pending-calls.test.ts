import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ClientCall } from "../../../src/client/call.ts";
import { PendingCalls } from "../../../src/client/pending-calls.ts";

const inFlight = 64;

function callOf(seqid: number): ClientCall {
  // About 1 KiB, as a call with its message and its caller's closures.
  return { seqid, load: new Array(128).fill(seqid) } as unknown as ClientCall;
}

/** Answers the oldest call and makes another one, so often. */
function pass(pending: PendingCalls, from: number, count: number): void {
  for (let seqid = from; seqid < from + count; seqid++) {
    assert.ok(pending.remove(seqid - inFlight));
    pending.add(callOf(seqid));
  }
}

describe("pending calls", () => {
  it("are kept in their order, whatever passes", () => {
    const pending = new PendingCalls();
    for (let seqid = 1; seqid <= inFlight; seqid++) pending.add(callOf(seqid));
    pass(pending, inFlight + 1, 5_000);
    assert.equal(pending.size, inFlight);
    assert.equal(pending.get(5_000), undefined);
    assert.equal(pending.remove(5_000), false);
    assert.deepEqual(
      pending.all().map(({ seqid }) => seqid),
      Array.from({ length: inFlight }, (_, i) => 5_001 + i),
    );
    pending.clear();
    assert.equal(pending.size, 0);
  });

  it("leave nothing behind that waits for a full collection", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
    const pending = new PendingCalls();
    for (let seqid = 1; seqid <= inFlight; seqid++) pending.add(callOf(seqid));
    pass(pending, inFlight + 1, 1_000);
    // Now the table is old: what followed it would stay.
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 12; i++) {
      pass(pending, inFlight + 1_001 + i * 1_000, 1_000);
      await setImmediate();
    }
    for (let i = 0; i < 3; i++) collect({ type: "minor" });
    const grownMib = (process.memoryUsage().heapUsed - before) / 2 ** 20;
    assert.ok(grownMib < 5, `12,000 calls of 1 KiB left ${grownMib.toFixed(1)} MiB behind`);
  });
});
