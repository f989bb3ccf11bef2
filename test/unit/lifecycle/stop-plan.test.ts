import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  hastenPlan,
  planStop,
  type StopSettings,
  StopSettingsError,
  validateStopSettings,
} from "../../../src/lifecycle/stop-plan.ts";
import { SETTINGS } from "./rig.ts";

describe("planStop", () => {
  test("counts callGrace from the start of draining and all else from the request", () => {
    assert.deepEqual(planStop(SETTINGS, 500), {
      requestedAtMs: 500,
      lameDuckEndsAtMs: 1700,
      noticeAtMs: 4450,
      callsEndAtMs: 4700,
      lastCallAtMs: 7500,
      deadlineAtMs: 9500,
      abortNoticeMs: 250,
    });
  });

  test("a callGrace beyond the reserve ends at the reserve", () => {
    for (const callGraceMs of [6000, undefined]) {
      const plan = planStop({ ...SETTINGS, callGraceMs }, 0);
      assert.equal(plan.callsEndAtMs, 7000);
      assert.equal(plan.noticeAtMs, 6750);
    }
  });

  test("the notice takes a quarter of a short callGrace at most", () => {
    const plan = planStop({ ...SETTINGS, callGraceMs: 400 }, 0);
    assert.equal(plan.noticeAtMs, 1500);
    assert.equal(plan.callsEndAtMs, 1600);
  });
});

describe("hastenPlan", () => {
  const plan = planStop(SETTINGS, 0);

  test("ends lame-duck and gives notice now, cuts a notice later, keeps last call and deadline", () => {
    assert.deepEqual(hastenPlan(plan, 300), {
      ...plan,
      lameDuckEndsAtMs: 300,
      noticeAtMs: 300,
      callsEndAtMs: 550,
    });
  });

  test("moves nothing back: at any time each time is the planned one or earlier, and the order holds", () => {
    for (let nowMs = 0; nowMs <= 9000; nowMs += 50) {
      const hastened = hastenPlan(plan, nowMs);
      assert.ok(hastened.lameDuckEndsAtMs <= plan.lameDuckEndsAtMs);
      assert.ok(hastened.noticeAtMs <= plan.noticeAtMs);
      assert.ok(hastened.callsEndAtMs <= plan.callsEndAtMs);
      assert.ok(hastened.lameDuckEndsAtMs <= hastened.noticeAtMs);
      assert.ok(hastened.noticeAtMs <= hastened.callsEndAtMs);
      assert.ok(hastened.callsEndAtMs <= hastened.lastCallAtMs);
      assert.equal(hastened.lastCallAtMs, plan.lastCallAtMs);
      assert.equal(hastened.deadlineAtMs, plan.deadlineAtMs);
    }
  });
});

describe("validateStopSettings", () => {
  const refused = (change: Partial<StopSettings>, setting: string, message: RegExp): void => {
    assert.throws(
      () => validateStopSettings({ ...SETTINGS, ...change }),
      (error) =>
        error instanceof StopSettingsError && error.setting === setting && message.test(error.message),
    );
  };

  test("grace must be more than lameDuck + quiet + reserve, not equal", () => {
    validateStopSettings({ ...SETTINGS, graceMs: 3301 });
    refused({ graceMs: 3300 }, "graceMs", /3300 ms.*1200 \+ 100 \+ 2000 = 3300 ms/);
  });

  const durations = [
    "graceMs",
    "lameDuckMs",
    "quietMs",
    "busyCloseMs",
    "reserveMs",
    "callGraceMs",
    "abortNoticeMs",
  ] as const;
  for (const setting of durations) {
    test(`${setting} must be a finite number from 0 on`, () => {
      for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        refused({ [setting]: value }, setting, new RegExp(`^${setting} is ${value}: `));
      }
    });
  }

  test("all that may be 0 can be 0, and callGrace may be left out", () => {
    validateStopSettings({
      graceMs: 1,
      lameDuckMs: 0,
      quietMs: 0,
      busyCloseMs: 0,
      reserveMs: 0,
      callGraceMs: undefined,
      abortNoticeMs: 0,
    });
  });
});
