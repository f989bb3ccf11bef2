import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { Call, type Caller } from "../../src/calls/call.ts";
import type { Method } from "../../src/calls/method-table.ts";
import { Lane } from "../../src/pool/lane.ts";
import { Slot, SlotState } from "../../src/pool/lane-layout.ts";

test("a worker that goes on while calls are taken back never starts one whose predecessor is gone", (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  t.after(() => port2.close());
  const lane = new Lane(0, port1, { replied: () => {}, drained: () => {} });
  const started: number[] = [];
  /** The worker: starts the first call in the ring that it may. */
  const goOn = (): void => {
    const { slots, requests } = lane.memory;
    for (let at = 0; at < calls.length; at++) {
      const state = requests[at]! * Slot.WORDS + Slot.STATE;
      const seen = Atomics.compareExchange(slots, state, SlotState.HANDED, SlotState.STARTED);
      if (seen === SlotState.HANDED) return void started.push(at);
    }
  };
  const caller = {
    id: 1,
    replyForm: 0,
    peerWords: new Int32Array(5),
    onewayPosition: 0,
    // Looked at for each call that was taken back: the worker makes a step in between.
    get onewayLane() {
      if (playing) goOn();
      return null;
    },
    set onewayLane(_lane: object | null) {},
  } as unknown as Caller;
  let playing = false;
  const calls = Array.from({ length: 9 }, () => createCall(caller));
  assert.equal(lane.hand(calls, 0, calls.length, 0), calls.length);
  playing = true;
  const taken = lane.takeBack().map((call) => calls.indexOf(call));
  // Whatever the worker took, it took from the front; the rest came back in its order.
  assert.deepEqual([...started, ...taken].slice(0, calls.length), [...calls.keys()]);
  assert.ok(started.length > 0 && taken.length > 0);
});

function createCall(caller: Caller): Call {
  const call = new Call();
  call.caller = caller;
  call.method = { index: 0, oneway: true } as Method;
  call.stage = "waiting";
  call.bytes = Buffer.alloc(10);
  call.end = 10;
  return call;
}
