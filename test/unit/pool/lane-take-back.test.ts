import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CallResult,
  Control,
  guardAborted,
  largestInRingBytes,
  slotCount,
} from "../../../src/pool/lane-layout.ts";
import { createCall, createMethod, createRun, FakeCaller } from "../calls/fakes.ts";
import { LaneRig } from "./lane-rig.ts";

const text = (bytes: Buffer | null): string => String(bytes?.toString("latin1"));
const named = (count: number, prefix = "call"): Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.from(`${prefix}-${at}`));

describe("taking calls back from a lane", () => {
  it("gives back those that have not started, in order and with their bytes, and they never run", async (t) => {
    const rig = new LaneRig(t);
    const calls = createRun(named(5));
    rig.lane.hand(calls, 0, 5, 0);
    const taken = rig.lane.takeBack();
    assert.deepEqual(taken, calls);
    assert.deepEqual(
      taken.map(({ bytes, bodyStart, end }) => text(bytes!.subarray(bodyStart, end))),
      named(5).map(text),
    );
    assert.deepEqual(
      taken.map(({ stage, lane, slot }) => [stage, lane, slot]),
      Array(5).fill(["waiting", -1, -1]),
    );
    await rig.work();
    assert.deepEqual(rig.ran, []);
    assert.equal(rig.drain(), 0);
    assert.equal(rig.lane.inFlight, 0);
  });

  it("leaves a call alone that has started", async (t) => {
    const rig = new LaneRig(t);
    rig.run = (call, _bytes, loop) => {
      assert.deepEqual(rig.lane.takeBack(), []);
      assert.equal(rig.lane.takeOne(calls[0]!), false);
      loop.reply(call.slot, CallResult.COMPLETED, Buffer.from("done"), 0, 4);
      return false;
    };
    const calls = createRun(named(1));
    rig.lane.hand(calls, 0, 1, 0);
    await rig.work();
    assert.equal(rig.lane.takeOne(calls[0]!), false, "nor one that is done");
    rig.drain();
    assert.deepEqual(
      rig.replies.map(({ bytes }) => text(bytes)),
      ["done"],
    );
    assert.equal(rig.lane.takeOne(calls[0]!), false, "nor one that has left");
  });

  it("takes back what lies behind a worker that stands in a call", async (t) => {
    const rig = new LaneRig(t);
    const calls = createRun(named(4));
    let taken: string[] = [];
    rig.run = (call, bytes, loop) => {
      taken = rig.lane.takeBack().map(({ bytes }) => text(bytes));
      loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, bytes.length);
      return false;
    };
    rig.lane.hand(calls, 0, 4, 0);
    await rig.work();
    assert.deepEqual(taken, ["call-1", "call-2", "call-3"]);
    assert.deepEqual(rig.ran.map(text), ["call-0"]);
  });

  it("leaves what the caller of a standing oneway sent behind it, if told so, and takes back the rest", async (t) => {
    const rig = new LaneRig(t);
    const [caller, other] = [1, 2].map((id) => new FakeCaller(() => {}, id)) as [FakeCaller, FakeCaller];
    const oneway = createMethod({ oneway: true });
    const calls = [
      createCall(Buffer.from("note"), caller, oneway),
      createCall(Buffer.from("behind"), caller),
      createCall(Buffer.from("other"), other),
    ];
    const taken: string[] = [];
    rig.run = (call, bytes, loop) => {
      if (rig.ran.length === 1) {
        assert.equal(rig.lane.onewayCaller, caller);
        for (const { bytes } of rig.lane.takeBack(caller)) taken.push(text(bytes));
      } else assert.equal(rig.lane.onewayCaller, null, "this one is none");
      loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, bytes.length);
      return false;
    };
    for (const call of calls) rig.lane.hand([call], 0, 1, 0);
    assert.equal(rig.lane.onewayCaller, null, "nothing has started");
    await rig.work();
    assert.deepEqual(taken, ["other"]);
    assert.deepEqual(rig.ran.map(text), ["note", "behind"]);
    assert.equal(rig.lane.onewayCaller, null, "the worker is in nothing");
  });

  it("takes back one call out of many", async (t) => {
    const rig = new LaneRig(t);
    const calls = createRun(named(3));
    rig.lane.hand(calls, 0, 3, 0);
    assert.equal(rig.lane.takeOne(calls[1]!), true);
    assert.equal(rig.lane.takeOne(calls[1]!), false, "not twice");
    await rig.work();
    rig.drain();
    assert.deepEqual(rig.ran.map(text), ["call-0", "call-2"]);
    assert.deepEqual(rig.lane.takeBack(), []);
  });

  it("keeps the bytes of a large call, and its stale copy in the worker is never mistaken for another's", async (t) => {
    const rig = new LaneRig(t);
    const large = createCall(Buffer.alloc(largestInRingBytes + 1, "a"));
    rig.lane.hand([large], 0, 1, 0);
    assert.deepEqual(rig.lane.takeBack(), [large]);
    assert.equal(large.bytes!.length, largestInRingBytes + 1);
    await rig.work();
    const next = Array.from({ length: slotCount }, (_, at) =>
      createCall(at % 1000 === 999 ? Buffer.alloc(largestInRingBytes + 2, "b") : Buffer.from("small")),
    );
    for (let at = 0; at < next.length; ) {
      at = rig.lane.hand(next, at, next.length, 0);
      await rig.work();
      rig.drain();
    }
    assert.equal(rig.replies.length, slotCount);
    for (const { call, bytes } of rig.replies)
      assert.equal(bytes[0], "bs".charCodeAt(next.indexOf(call) % 1000 === 999 ? 0 : 1));
  });

  it("does not use a slot again before the worker has passed its place in the ring", async (t) => {
    const rig = new LaneRig(t);
    for (let round = 0; round < 3; round++) {
      const calls = createRun(named(slotCount));
      assert.equal(rig.lane.hand(calls, 0, slotCount, 0), slotCount, `round ${round}`);
      assert.equal(rig.lane.takeBack().length, slotCount);
      assert.equal(rig.lane.hand(createRun(named(1)), 0, 1, 0), 0, "all slots wait to be passed");
      await rig.work();
    }
    assert.deepEqual(rig.ran, []);
  });

  for (const [how, size] of [
    ["small", 10],
    ["large", largestInRingBytes + 1],
  ] as const) {
    it(`keeps the order when a slot was used again a moment before the worker moved on (${how} calls)`, async (t) => {
      const rig = new LaneRig(t);
      const [first, second, third, fourth] = [1, 2, 3, 4].map((at) => createCall(Buffer.alloc(size, at)));
      let moment = true;
      rig.run = (call, bytes, loop) => {
        loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, 1);
        if (!moment) return false;
        moment = false;
        // The reply is taken while the worker is still about to say that it has passed the call.
        rig.drain();
        rig.lane.hand([second!], 0, 1, 0);
        assert.deepEqual(rig.lane.takeBack(), [second]);
        rig.lane.hand([third!], 0, 1, 0);
        Atomics.store(rig.memory.control, Control.REQUEST_TAIL, 1);
        rig.lane.hand([fourth!], 0, 1, 0);
        return false;
      };
      rig.lane.hand([first!], 0, 1, 0);
      await rig.work();
      rig.drain();
      assert.deepEqual(
        rig.ran.map((bytes) => bytes[0]),
        [1, 3, 4],
      );
      assert.deepEqual(
        rig.replies.map(({ call }) => call),
        [first, third, fourth],
      );
    });
  }

  it("never holds more calls than it has slots, even while a worker moves on", async (t) => {
    const rig = new LaneRig(t);
    const first = createRun(named(slotCount, "first"));
    const more = createCall(Buffer.from("more"));
    let room = -1;
    rig.run = (call, bytes, loop) => {
      loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, bytes.length);
      if (room < 0) {
        rig.drain();
        room = rig.lane.hand([more], 0, 1, 0);
      }
      return false;
    };
    rig.lane.hand(first, 0, slotCount, 0);
    await rig.work();
    assert.equal(room, 0, "the ring's place is not free yet, though the slot is");
    assert.equal(rig.ran.length, slotCount);
  });

  it("forgets everything when its worker has ended", async (t) => {
    const rig = new LaneRig(t);
    rig.run = () => true;
    const calls = createRun(named(3));
    rig.lane.hand(calls, 0, 1, 0);
    await rig.work();
    rig.lane.hand(calls, 1, 3, 0);
    assert.deepEqual(rig.lane.takeBack(), calls.slice(1));
    assert.deepEqual(rig.lane.abandon(), calls.slice(0, 1));
    assert.equal(rig.lane.inFlight, 0);
    assert.deepEqual([...rig.lane.started()], []);
    assert.deepEqual(rig.lane.abandon(), []);
  });
});

describe("the guard of a call", () => {
  it("is changed by the one that saw it last, and only by that one", async (t) => {
    const rig = new LaneRig(t);
    const call = createCall(Buffer.from("x"));
    rig.run = () => true;
    rig.lane.hand([call], 0, 1, 0);
    await rig.work();
    assert.equal(rig.lane.guardOf(call), 0);
    assert.equal(rig.lane.abort(call, 77), false, "it was not 77");
    assert.equal(rig.lane.guardOf(call), 0);
    assert.equal(rig.lane.abort(call, 0), true);
    assert.equal(rig.lane.guardOf(call), guardAborted);
  });
});
