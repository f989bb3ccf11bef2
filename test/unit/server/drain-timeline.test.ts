import assert from "node:assert/strict";
import { it } from "node:test";
import { CallLedger } from "../../../src/calls/call-ledger.ts";
import { planStop } from "../../../src/lifecycle/stop-plan.ts";
import { DrainTimeline, mostWaitedCalls } from "../../../src/server/drain-timeline.ts";
import { createMethod, FakeCaller } from "../calls/fakes.ts";

it("keeps the calls that a drain waited for longest, however many others end after them", () => {
  const settings = { graceMs: 9000, lameDuckMs: 0, quietMs: 100, busyCloseMs: 1000, reserveMs: 2000 };
  const plan = planStop({ ...settings, callGraceMs: undefined, abortNoticeMs: 50 }, 1000);
  const ledger = new CallLedger();
  const timeline = new DrainTimeline(ledger, plan);
  const caller = new FakeCaller(() => {});
  const slow = ledger.receive(caller, createMethod({ name: "slow" }), 1, 400);
  const old = ledger.receive(caller, createMethod({ name: "old" }), 2, 0);
  timeline.begin(1000);
  ledger.settle(old, "completed", 1010);
  ledger.settle(slow, "completed", 1500);
  for (let at = 0; at < 9 * mostWaitedCalls; at++) {
    const call = ledger.receive(caller, createMethod(), 3, 1500 + at);
    ledger.settle(call, "completed", 1600 + at);
  }
  const { waitedFor, more } = timeline;
  assert.equal(waitedFor[0]!.method, "Calc.slow");
  assert.equal(waitedFor.length, mostWaitedCalls);
  assert.equal(more, 2 + 9 * mostWaitedCalls - mostWaitedCalls);
  assert.ok(
    waitedFor.every(({ method }) => method !== "Calc.old"),
    "what ran before the drain does not count",
  );
});
