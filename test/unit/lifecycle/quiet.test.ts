import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionActivity, decideQuiet, type QuietDecision } from "../../../src/lifecycle/quiet.ts";

const DRAINING_SINCE = 10_000;
const SETTINGS = { quietMs: 100, busyCloseMs: 1000 };
const IDLE: ConnectionActivity = {
  lastActivityAtMs: DRAINING_SINCE,
  partialFrame: false,
  undispatched: 0,
  inFlight: 0,
  unwrittenBytes: 0,
};

function decide(activity: Partial<ConnectionActivity>, sinceDrainMs: number): QuietDecision {
  return decideQuiet({ ...IDLE, ...activity }, SETTINGS, DRAINING_SINCE, DRAINING_SINCE + sinceDrainMs);
}

describe("a silent connection", () => {
  test("is closed once it was silent for quiet, not a moment earlier", () => {
    assert.deepEqual(decide({}, 99.9), { kind: "wait", untilMs: 10_100 });
    assert.deepEqual(decide({}, 100), { kind: "close" });
  });

  test("that was silent for quiet when the drain began is closed at once", () => {
    assert.deepEqual(decide({ lastActivityAtMs: 9900 }, 0), { kind: "close" });
  });

  test("that fell silent before the drain waits for the rest of quiet only", () => {
    assert.deepEqual(decide({ lastActivityAtMs: 9930 }, 0), { kind: "wait", untilMs: 10_030 });
  });

  test("each byte begins the silence anew", () => {
    assert.deepEqual(decide({ lastActivityAtMs: 10_080 }, 100), { kind: "wait", untilMs: 10_180 });
  });

  test("whose quiet would end behind busyClose is asked again at busyClose, and closed there", () => {
    assert.deepEqual(decide({ lastActivityAtMs: 10_950 }, 960), { kind: "wait", untilMs: 11_000 });
    assert.deepEqual(decide({ lastActivityAtMs: 10_950 }, 1000), { kind: "refuse-and-close" });
  });

  test("that falls silent for quiet after a long call behind busyClose is simply closed", () => {
    assert.deepEqual(decide({ lastActivityAtMs: 12_000 }, 2100), { kind: "close" });
  });
});

describe("a connection that is not silent", () => {
  const reasons: Record<string, Partial<ConnectionActivity>> = {
    "a partial frame": { partialFrame: true },
    "an undispatched message": { undispatched: 1 },
    "a call in flight": { inFlight: 1 },
    "an unwritten reply": { unwrittenBytes: 1 },
  };
  for (const [reason, activity] of Object.entries(reasons)) {
    test(`${reason} keeps it open until busyClose, however long ago the last byte came`, () => {
      assert.deepEqual(decide({ ...activity, lastActivityAtMs: 0 }, 999), { kind: "wait", untilMs: 11_000 });
    });
  }

  test("at busyClose dispatching stops while calls are in flight", () => {
    assert.deepEqual(decide({ inFlight: 1, undispatched: 3, partialFrame: true }, 1000), {
      kind: "stop-dispatching",
    });
    assert.deepEqual(decide({ inFlight: 1 }, 5000), { kind: "stop-dispatching" });
  });

  test("at busyClose with nothing in flight what was read is refused and the connection closed", () => {
    assert.deepEqual(decide({ undispatched: 3 }, 1000), { kind: "refuse-and-close" });
    assert.deepEqual(decide({ partialFrame: true }, 1000), { kind: "refuse-and-close" });
    assert.deepEqual(decide({ unwrittenBytes: 9 }, 1000), { kind: "refuse-and-close" });
  });

  test("busyClose counts from the start of draining, not from the connection's last byte", () => {
    assert.deepEqual(decide({ lastActivityAtMs: 10_999, inFlight: 1 }, 1000), { kind: "stop-dispatching" });
  });

  test("behind busyClose it is never told to wait", () => {
    for (const activity of [{}, ...Object.values(reasons)]) {
      for (const lastActivityAtMs of [9000, 10_500, 11_500]) {
        assert.notEqual(decide({ ...activity, lastActivityAtMs }, 1500).kind, "wait");
      }
    }
  });
});
