import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../../src/calls/call.ts";
import { carry } from "../../../src/pool/carried-value.ts";
import {
  CallResult,
  Control,
  largestInRingBytes,
  ringBytes,
  slotCount,
} from "../../../src/pool/lane-layout.ts";
import { createCall, createRun } from "../calls/fakes.ts";
import { LaneRig, settle } from "./lane-rig.ts";

const text = (bytes: Buffer): string => bytes.toString("latin1");
const named = (count: number, prefix = "call"): Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.from(`${prefix}-${at}`));

/** Hands calls over one by one, each with a buffer of its own. Returns how many found room. */
function handAll(rig: LaneRig, calls: readonly Call[]): number {
  let at = 0;
  while (at < calls.length && rig.lane.hand(calls, at, at + 1, 0) > at) at++;
  return at;
}

describe("a lane", () => {
  it("runs calls in the order in which they were handed over, and replies to each", async (t) => {
    const rig = new LaneRig(t);
    const calls = createRun(named(300));
    assert.equal(rig.lane.hand(calls, 0, calls.length, 0), calls.length);
    await rig.work();
    assert.equal(rig.drain(), 300);
    assert.deepEqual(rig.ran.map(text), named(300).map(text));
    assert.deepEqual(
      rig.replies.map(({ call, bytes }) => [call, text(bytes)]),
      calls.map((call, at) => [call, `call-${at}`]),
    );
    assert.equal(rig.lane.inFlight, 0);
    assert.equal(rig.lane.queued, 0);
  });

  it("wakes a sleeping worker once, and an awake one not at all", async (t) => {
    const rig = new LaneRig(t);
    await rig.work();
    rig.lane.hand(createRun(named(1)), 0, 1, 0);
    rig.lane.wake();
    rig.lane.wake();
    await settle();
    assert.equal(rig.ran.length, 1);
    rig.lane.hand(createRun(named(1)), 0, 1, 0);
    rig.lane.wake();
    await settle();
    assert.equal(rig.ran.length, 2, "a wake-up after it fell asleep again is not lost");
  });

  it("keeps the messages of a run until the worker has read each of them", async (t) => {
    const rig = new LaneRig(t);
    await rig.work();
    const [first, second] = createRun([Buffer.alloc(100_000, "a"), Buffer.alloc(100_000, "b")]);
    rig.lane.hand([first!, second!], 0, 2, 0);
    // As if the worker had passed the first call and stood before the second.
    Atomics.store(rig.memory.control, Control.REQUEST_TAIL, 1);
    const filling = Array.from({ length: 8 }, () => createCall(Buffer.alloc(200_000, "x")));
    assert.ok(handAll(rig, filling) < filling.length, "the ring is full before it comes round to the second");
    assert.deepEqual(rig.lane.takeBack().at(0), second);
    assert.equal(second!.bytes!.equals(Buffer.alloc(100_000, "b")), true);
  });

  it("takes no more bytes than it has, and goes on when the worker has passed some", async (t) => {
    const rig = new LaneRig(t);
    const size = 200_000;
    const calls = Array.from({ length: 12 }, (_, at) => createCall(Buffer.alloc(size, 97 + at)));
    const taken = handAll(rig, calls);
    assert.equal(taken, Math.floor(ringBytes / size));
    await rig.work();
    rig.drain();
    assert.ok(handAll(rig, calls.slice(taken)) > 0);
    await rig.work();
    rig.drain();
    for (const { call, bytes } of rig.replies) assert.equal(bytes[0], 97 + calls.indexOf(call));
  });

  it("takes no more calls than it has slots, and goes on when one is free", async (t) => {
    const rig = new LaneRig(t);
    const calls = createRun(named(slotCount + 10));
    assert.equal(rig.lane.hand(calls, 0, calls.length, 0), slotCount);
    assert.equal(rig.lane.hand(calls, slotCount, calls.length, 0), slotCount);
    await rig.work();
    assert.equal(rig.drain(), slotCount);
    assert.equal(rig.lane.hand(calls, slotCount, calls.length, 0), calls.length);
    await rig.work();
    rig.drain();
    assert.deepEqual(
      rig.replies.map(({ call }) => call),
      calls,
    );
  });

  it("holds what it holds over many turns of its rings", async (t) => {
    const rig = new LaneRig(t);
    let sent = 0;
    for (let round = 0; round < 60; round++) {
      const messages = Array.from({ length: 100 }, (_, at) =>
        Buffer.alloc(37 * ((at + round) % 29) + 4, at + round),
      );
      const calls = createRun(messages);
      for (let at = 0; at < calls.length; ) {
        const next = rig.lane.hand(calls, at, calls.length, 0);
        sent += next - at;
        at = next;
        await rig.work();
        rig.drain();
      }
    }
    assert.equal(rig.replies.length, sent);
    for (const [at, { bytes }] of rig.replies.entries()) assert.ok(bytes.equals(rig.ran[at]!), `reply ${at}`);
  });

  it("carries what is too large for its rings, both ways and among small ones", async (t) => {
    const rig = new LaneRig(t);
    const sizes = [10, largestInRingBytes + 1, 10, 3 * ringBytes, largestInRingBytes];
    const calls = createRun(sizes.map((size, at) => Buffer.alloc(size, 97 + at)));
    for (let at = 0; at < calls.length; ) {
      at = rig.lane.hand(calls, at, calls.length, 0);
      await rig.work();
      rig.drain();
    }
    assert.deepEqual(
      rig.replies.map(({ bytes }) => [bytes.length, bytes[0], bytes.at(-1)]),
      sizes.map((size, at) => [size, 97 + at, 97 + at]),
    );
  });

  it("sees a published value before the call that must see it", async (t) => {
    const rig = new LaneRig(t);
    await rig.work();
    const seen: number[] = [];
    rig.run = (call, bytes, loop) => {
      seen.push(rig.toWorker.length);
      loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, bytes.length);
      return false;
    };
    rig.lane.hand(createRun(named(1)), 0, 1, 0);
    const copies = carry("v", 1);
    rig.lane.post({ kind: "published", version: 1, service: 0, copy: copies[0]! }, copies);
    rig.lane.hand(createRun(named(1)), 0, 1, 1);
    // The worker's turn begins before its event loop could receive what was posted.
    rig.loop.start();
    assert.deepEqual(seen, [0, 1]);
  });

  it("has a reply in the ring before the next handler starts", async (t) => {
    const rig = new LaneRig(t);
    const inRing: number[] = [];
    rig.run = (call, bytes, loop) => {
      inRing.push(Atomics.load(rig.memory.control, Control.REPLY_HEAD));
      const reply = (): void => loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, bytes.length);
      if (inRing.length % 2 === 0) void Promise.resolve().then(reply);
      else reply();
      return inRing.length % 2 === 0;
    };
    rig.lane.hand(createRun(named(6)), 0, 6, 0);
    await rig.work();
    assert.deepEqual(inRing, [0, 1, 2, 3, 4, 5]);
  });

  it("does not let a call that takes its time hold up the next", async (t) => {
    const rig = new LaneRig(t);
    const later: (() => void)[] = [];
    rig.run = (call, bytes, loop) => {
      const { slot } = call;
      later.push(() => loop.reply(slot, CallResult.COMPLETED, bytes, 0, bytes.length));
      return true;
    };
    const calls = createRun(named(3));
    rig.lane.hand(calls, 0, 3, 0);
    await rig.work();
    assert.equal(rig.ran.length, 3);
    assert.deepEqual([...rig.lane.started()], calls);
    for (const reply of later.toReversed()) reply();
    rig.drain();
    assert.deepEqual(
      rig.replies.map(({ call }) => call),
      calls.toReversed(),
    );
    assert.deepEqual([...rig.lane.started()], []);
  });
});
