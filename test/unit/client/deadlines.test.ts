import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientCall } from "../../../src/client/call.ts";
import { Deadlines } from "../../../src/client/deadlines.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

function createRig(): {
  clock: FakeClock;
  expired: string[];
  add: (name: string, timeoutMs: number) => ClientCall;
  deadlines: Deadlines;
} {
  const clock = new FakeClock();
  const expired: string[] = [];
  const deadlines: Deadlines = new Deadlines(clock, (call) => {
    deadlines.remove(call);
    expired.push(call.method.name);
  });
  const add = (name: string, timeoutMs: number): ClientCall => {
    const method = {
      name,
      wireName: name,
      send: () => {},
      receive: undefined,
      arity: 0,
      idempotent: false,
      timeoutMs,
    };
    const timing = { timeoutMs, startedMs: clock.now() };
    const call = new ClientCall(
      method,
      1,
      Buffer.alloc(0),
      timing,
      undefined,
      () => {},
      () => {},
    );
    deadlines.add(call);
    return call;
  };
  return { clock, expired, add, deadlines };
}

test("each call expires when its time is over, whatever the others' limits are", () => {
  const { clock, expired, add } = createRig();
  add("a", 100);
  add("b", 50);
  clock.advance(20);
  add("c", 50);
  clock.advance(29);
  assert.deepEqual(expired, []);
  clock.advance(1);
  assert.deepEqual(expired, ["b"]);
  clock.advance(20);
  assert.deepEqual(expired, ["b", "c"]);
  clock.advance(1000);
  assert.deepEqual(expired, ["b", "c", "a"]);
  assert.equal(clock.pending, 0, "there is no timer without a call");
});

test("calls that were answered expire no more, in the middle of the list too", () => {
  const { clock, expired, add, deadlines } = createRig();
  const calls = ["a", "b", "c", "d"].map((name) => add(name, 100));
  deadlines.remove(calls[1]!);
  deadlines.remove(calls[3]!);
  add("e", 100);
  deadlines.remove(calls[0]!);
  clock.advance(100);
  assert.deepEqual(expired, ["c", "e"]);
});

test("a thousand calls have one timer", () => {
  const { clock, add, deadlines } = createRig();
  for (let call = 0; call < 1000; call++) deadlines.remove(add("a", 10_000 - call));
  for (let call = 0; call < 1000; call++) add("a", 1000);
  assert.equal(clock.pending, 1);
  deadlines.stop();
  assert.equal(clock.pending, 0);
});
