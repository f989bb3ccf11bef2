import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Call } from "../../../src/calls/call.ts";
import { Deadlines } from "../../../src/calls/deadlines.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

let serials = 0;

function callDueAt(deadlineAtMs: number): Call {
  const call = new Call();
  call.stage = "handed";
  call.serial = ++serials;
  call.deadlineAtMs = deadlineAtMs;
  return call;
}

function createDeadlines(): {
  clock: FakeClock;
  deadlines: Deadlines;
  expired: { call: Call; atMs: number }[];
} {
  const clock = new FakeClock();
  const expired: { call: Call; atMs: number }[] = [];
  const deadlines = new Deadlines(
    () => clock.now(),
    (atMs, fire) => clock.setTimer(atMs, fire),
    (call) => expired.push({ call, atMs: clock.now() }),
  );
  return { clock, deadlines, expired };
}

describe("deadlines", () => {
  it("tell of every call at its time, in the order of the times, as a sorted list would", () => {
    const waits = fc.array(fc.record({ after: fc.nat({ max: 20 }), due: fc.nat({ max: 100 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(waits, (given) => {
        const { clock, deadlines, expired } = createDeadlines();
        const calls: Call[] = [];
        for (const { after, due } of given) {
          clock.advance(after);
          const call = callDueAt(clock.now() + due);
          calls.push(call);
          deadlines.add(call);
        }
        clock.advance(1000);
        assert.equal(expired.length, calls.length);
        for (const { call, atMs } of expired) assert.equal(atMs, call.deadlineAtMs);
        const sorted = calls.map(({ deadlineAtMs }) => deadlineAtMs).toSorted((a, b) => a - b);
        assert.deepEqual(
          expired.map(({ call }) => call.deadlineAtMs),
          sorted,
        );
        assert.equal(clock.pending, 0, "no timer is left");
      }),
    );
  });

  it("have one timer at most, for the first", () => {
    const { clock, deadlines } = createDeadlines();
    const startMs = clock.now();
    for (const due of [50, 20, 90, 10, 30]) deadlines.add(callDueAt(startMs + due));
    assert.equal(clock.pending, 1);
  });

  it("are all told of by one late timer", () => {
    const { clock, deadlines, expired } = createDeadlines();
    for (const due of [3, 1, 2]) deadlines.add(callDueAt(clock.now() + due));
    clock.stall(500);
    assert.equal(expired.length, 3);
  });

  it("leave calls alone that have their outcome, and records that serve another call by then", () => {
    const { clock, deadlines, expired } = createDeadlines();
    const [settled, reused, free] = [1, 2, 3].map((due) => callDueAt(clock.now() + due));
    for (const call of [settled!, reused!, free!]) deadlines.add(call);
    settled!.stage = "settled";
    reused!.serial = ++serials;
    free!.stage = "free";
    clock.advance(1000);
    assert.deepEqual(expired, []);
  });

  it("keep few records of calls that had their outcome long before their time", () => {
    const { clock, deadlines, expired } = createDeadlines();
    const late = callDueAt(clock.now() + 30_000);
    deadlines.add(late);
    for (let at = 0; at < 100_000; at++) {
      const call = callDueAt(clock.now() + 60_000);
      deadlines.add(call);
      if (at % 1000 !== 0) call.stage = "settled";
    }
    assert.ok(deadlines.size < 2000, `${deadlines.size} are kept`);
    clock.advance(60_000);
    assert.equal(expired.length, 101, "those without an outcome are told of all the same");
    assert.equal(expired[0]!.call, late);
  });
});
