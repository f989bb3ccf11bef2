import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  breaksHere,
  callEnd,
  cutDecision,
  grantProtection,
  NO_STOP,
  ProtectionDeniedError,
} from "../../../src/lifecycle/protection.ts";
import { hastenPlan, planStop } from "../../../src/lifecycle/stop-plan.ts";
import { SETTINGS } from "./rig.ts";

/** A stop asked for at 0: notice 3950, cut 4200, last call 7000. */
const PLAN = planStop(SETTINGS, 0);
const LONGEST_MS = 7000;
const NEVER = Number.POSITIVE_INFINITY;

function protect(ms: number, nowMs: number, lastCallAtMs: number): number {
  return grantProtection({ nowMs, ms, longestMs: LONGEST_MS, lastCallAtMs }).untilMs;
}

function denied(ms: number, grantableMs: number, message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ProtectionDeniedError &&
    error.code === "SLUICE_PROTECTION_DENIED" &&
    Object.is(error.askedMs, ms) &&
    error.grantableMs === grantableMs &&
    message.test(error.message);
}

describe("protect and renew", () => {
  test("without a stop up to grace - reserve is granted, from now", () => {
    assert.equal(protect(1500, 100, NEVER), 1600);
    assert.equal(protect(7000, 100, NEVER), 7100);
  });

  test("without a stop more than grace - reserve is denied with what could be had", () => {
    const expected = denied(
      7001,
      7000,
      /7001 ms was asked for: at most 7000 ms.*grace - reserve; raise grace/,
    );
    assert.throws(() => protect(7001, 100, NEVER), expected);
  });

  test("what was granted before a stop fits into any stop that begins later", () => {
    for (const stopAtMs of [100, 101, 5000]) {
      assert.ok(protect(7000, 100, NEVER) <= planStop(SETTINGS, stopAtMs).lastCallAtMs);
    }
  });

  test("in a stop it is granted up to the last call, to the millisecond", () => {
    assert.equal(protect(2000, 5000, PLAN.lastCallAtMs), 7000);
    const expected = denied(2001, 2000, /at most 2000 ms.*the stop in progress leaves/);
    assert.throws(() => protect(2001, 5000, PLAN.lastCallAtMs), expected);
  });

  test("what can be granted is rounded down, so that asking for it succeeds", () => {
    assert.throws(() => protect(3000, 4999.4, PLAN.lastCallAtMs), denied(3000, 2000, /at most 2000 ms/));
    assert.equal(protect(2000, 4999.4, PLAN.lastCallAtMs), 6999.4);
  });

  test("after the last call nothing is granted", () => {
    assert.throws(() => protect(1, 7000, PLAN.lastCallAtMs), denied(1, 0, /at most 0 ms/));
    assert.throws(() => protect(1, 8000, PLAN.lastCallAtMs), denied(1, 0, /at most 0 ms/));
  });

  test("what is no positive number is denied, with or without a stop", () => {
    for (const ms of [0, -5, Number.NaN, NEVER]) {
      assert.throws(() => protect(ms, 0, NEVER), denied(ms, 7000, /give a number above 0 and at most 7000/));
    }
  });
});

describe("the cut of one call", () => {
  test("without a stop a call runs on, protected or not", () => {
    assert.deepEqual(cutDecision(NO_STOP, 0, 5e9), { kind: "run", untilMs: NEVER });
    assert.deepEqual(cutDecision(NO_STOP, 6e9, 5e9), { kind: "run", untilMs: NEVER });
  });

  test("an unprotected call gets notice and cut by the plan", () => {
    assert.deepEqual(cutDecision(PLAN, 0, 3949), { kind: "run", untilMs: 3950 });
    assert.deepEqual(cutDecision(PLAN, 0, 3950), { kind: "notice", cutAtMs: 4200 });
    assert.deepEqual(cutDecision(PLAN, 0, 4199), { kind: "notice", cutAtMs: 4200 });
    assert.deepEqual(cutDecision(PLAN, 0, 4200), { kind: "cut" });
  });

  test("a protection that ended before the notice changes nothing", () => {
    assert.deepEqual(callEnd(PLAN, 3950), { noticeAtMs: 3950, cutAtMs: 4200 });
  });

  test("a protected call gets its notice when the protection ends, and the cut a notice later", () => {
    assert.deepEqual(cutDecision(PLAN, 5000, 4999), { kind: "run", untilMs: 5000 });
    assert.deepEqual(cutDecision(PLAN, 5000, 5000), { kind: "notice", cutAtMs: 5250 });
    assert.deepEqual(cutDecision(PLAN, 5000, 5250), { kind: "cut" });
  });

  test("a renewal in the meantime prolongs it", () => {
    assert.equal(cutDecision(PLAN, 5000, 5000).kind, "notice");
    assert.deepEqual(cutDecision(PLAN, 6000, 5000), { kind: "run", untilMs: 6000 });
  });

  test("nothing outlives the last call", () => {
    assert.deepEqual(callEnd(PLAN, 6900), { noticeAtMs: 6900, cutAtMs: 7000 });
    assert.deepEqual(callEnd(PLAN, 7000), { noticeAtMs: 7000, cutAtMs: 7000 });
    assert.deepEqual(callEnd(PLAN, 99_000), { noticeAtMs: 7000, cutAtMs: 7000 });
    assert.deepEqual(cutDecision(PLAN, 99_000, 7000), { kind: "cut" });
  });

  test("a second signal cuts the unprotected early and leaves the protected their time", () => {
    const hastened = hastenPlan(PLAN, 1300);
    assert.deepEqual(callEnd(hastened, 0), { noticeAtMs: 1300, cutAtMs: 1550 });
    assert.deepEqual(callEnd(hastened, 2800), { noticeAtMs: 2800, cutAtMs: 3050 });
  });

  test("at any protection the call is neither told nor cut before its end, and never after the last call", () => {
    for (let untilMs = 0; untilMs <= 8000; untilMs += 50) {
      const end = callEnd(PLAN, untilMs);
      assert.ok(end.noticeAtMs >= Math.min(untilMs, PLAN.lastCallAtMs));
      assert.ok(end.noticeAtMs <= end.cutAtMs);
      assert.ok(end.cutAtMs <= PLAN.lastCallAtMs);
    }
  });
});

describe("allowBreak", () => {
  test("goes on while nobody waits: no stop, or calls still have their time", () => {
    assert.equal(breaksHere(NO_STOP, 5e9), false);
    assert.equal(breaksHere(PLAN, 3949), false);
  });

  test("ends the call from the notice on", () => {
    assert.equal(breaksHere(PLAN, 3950), true);
    assert.equal(breaksHere(hastenPlan(PLAN, 1300), 1300), true);
  });
});
