import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtectionDeniedError } from "../../../src/lifecycle/protection.ts";
import { LaneCallLink } from "../../../src/pool/call-link.ts";
import {
  Control,
  createLaneMemory,
  guardAborted,
  type LaneMemory,
  Slot,
} from "../../../src/pool/lane-layout.ts";

const slot = 3;
const serial = 42;
const guardAt = slot * Slot.WORDS + Slot.GUARD;

function createLink(): { link: LaneCallLink; memory: LaneMemory; wakes: () => number; logged: string[] } {
  const memory = createLaneMemory();
  memory.slots[slot * Slot.WORDS + Slot.SERIAL] = serial;
  let wakes = 0;
  const logged: string[] = [];
  const link = new LaneCallLink(memory, {
    longestProtectionMs: 7000,
    wakeMain: () => wakes++,
    log: (message) => logged.push(message),
  });
  return { link, memory, wakes: () => wakes, logged };
}

describe("a running call's link to the main thread", () => {
  it("protects the call until a time on the common clock, and ends it again", () => {
    const { link, memory } = createLink();
    const nowMs = performance.now();
    link.protect(slot, serial, 1000);
    const untilMs = memory.slots[guardAt]!;
    assert.ok(untilMs >= nowMs + 1000 && untilMs <= performance.now() + 1001, String(untilMs - nowMs));
    link.unprotect(slot, serial);
    assert.equal(memory.slots[guardAt], 0);
  });

  it("denies more than can be granted, and protection to a call that is being ended", () => {
    const { link, memory } = createLink();
    assert.throws(() => link.protect(slot, serial, 7001), ProtectionDeniedError);
    memory.slots[guardAt] = guardAborted;
    assert.throws(() => link.protect(slot, serial, 10), ProtectionDeniedError);
    link.unprotect(slot, serial);
    assert.equal(memory.slots[guardAt], guardAborted, "and it stays so");
  });

  it("grants in a stop only what the stop leaves", () => {
    const { link, memory } = createLink();
    memory.control[Control.LAST_CALL_AT] = (performance.now() + 500) | 0;
    assert.throws(() => link.protect(slot, serial, 600), ProtectionDeniedError);
    link.protect(slot, serial, 300);
    assert.notEqual(memory.slots[guardAt], 0);
  });

  it("touches no other call that has the slot by now", () => {
    const { link, memory } = createLink();
    link.protect(slot, serial - 1, 100);
    assert.equal(memory.slots[guardAt], 0);
    memory.slots[guardAt] = guardAborted;
    assert.equal(link.isAborted(slot, serial), true);
    assert.equal(link.isAborted(slot, serial - 1), false);
    const aborted: string[] = [];
    link.onAbort(slot, serial - 1, () => aborted.push("old"));
    link.onAbort(slot, serial, (reason) => aborted.push(reason));
    link.aborted(slot, serial, "why");
    link.aborted(slot, serial, "again");
    assert.deepEqual(aborted, ["why"]);
  });

  it("counts background promises until they settle, and wakes the main thread after the last", async () => {
    const { link, memory, wakes, logged } = createLink();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const { promise } of gates) link.background(promise, "Calc.add");
    assert.equal(memory.control[Control.BACKGROUND], 2);
    gates[0]!.resolve();
    await gates[0]!.promise;
    assert.equal(wakes(), 0);
    gates[1]!.reject(new Error("x"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(memory.control[Control.BACKGROUND], 0);
    assert.equal(wakes(), 1);
    assert.deepEqual(logged, ["a background promise was rejected"]);
  });
});
