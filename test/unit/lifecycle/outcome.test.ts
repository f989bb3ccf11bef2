import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exitCodeOf, type StopFacts, stopFacts, stopOutcome } from "../../../src/lifecycle/outcome.ts";
import type { StoppedState } from "../../../src/lifecycle/phases.ts";
import { type Place, type Rig, rigAt } from "./rig.ts";

const CLEAN: StopFacts = {
  forcedBy: undefined,
  startFailed: false,
  flushFailed: false,
  closeFailed: false,
  cutCalls: 0,
};

function verdict(facts: Partial<StopFacts>): string {
  const all = { ...CLEAN, ...facts };
  return `${stopOutcome(all)} ${exitCodeOf(all)}`;
}

describe("the outcome of facts", () => {
  test("each alone", () => {
    assert.equal(verdict({}), "clean 0");
    assert.equal(verdict({ startFailed: true }), "start-failed 1");
    assert.equal(verdict({ cutCalls: 1 }), "cut 3");
    assert.equal(verdict({ flushFailed: true }), "flush-failed 4");
    assert.equal(verdict({ closeFailed: true }), "flush-failed 4");
    assert.equal(verdict({ forcedBy: "SIGHUP" }), "forced 129");
    assert.equal(verdict({ forcedBy: "SIGINT" }), "forced 130");
    assert.equal(verdict({ forcedBy: "SIGQUIT" }), "forced 131");
    assert.equal(verdict({ forcedBy: "SIGTERM" }), "forced 143");
    assert.equal(verdict({ forcedBy: "SIGBREAK" }), "forced 149");
  });

  test("forced goes before start-failed, that before 4, 4 before 3", () => {
    const all = { startFailed: true, flushFailed: true, closeFailed: true, cutCalls: 9 };
    assert.equal(verdict({ ...all, forcedBy: "SIGTERM" }), "forced 143");
    assert.equal(verdict(all), "start-failed 1");
    assert.equal(verdict({ ...all, startFailed: false }), "flush-failed 4");
    assert.equal(verdict({ closeFailed: true, cutCalls: 9 }), "flush-failed 4");
  });
});

describe("the outcome of a life", () => {
  const endOf = (place: Place, live: (rig: Rig) => void, cutCalls = 0): string => {
    const rig = rigAt(place);
    live(rig);
    return verdict(stopFacts(rig.lifecycle.state as StoppedState, cutCalls));
  };
  const failure = { part: "ledger", cause: new Error("disk full") };

  test("a stop that ended by itself is clean, or cut when calls were", () => {
    assert.equal(
      endOf("stopped", () => {}),
      "clean 0",
    );
    assert.equal(
      endOf("stopped", () => {}, 2),
      "cut 3",
    );
  });

  test("a shielded start is clean", () => {
    assert.equal(
      endOf("flushing, never served", ({ lifecycle }) => [lifecycle.flushed(), lifecycle.closed()]),
      "clean 0",
    );
  });

  test("a failed flush or close is 4, in a shielded start too", () => {
    for (const place of ["flushing", "flushing, never served"] as const) {
      const flush = endOf(place, ({ lifecycle }) => [lifecycle.flushed([failure]), lifecycle.closed()], 1);
      const close = endOf(place, ({ lifecycle }) => [lifecycle.flushed(), lifecycle.closed([failure])], 1);
      assert.deepEqual([flush, close], ["flush-failed 4", "flush-failed 4"]);
    }
  });

  test("a deadline that passes before flush and close are done is 4", () => {
    for (const place of ["draining", "flushing", "closing"] as const) {
      assert.equal(
        endOf(place, ({ clock }) => clock.advance(9000), 1),
        "flush-failed 4",
        place,
      );
    }
  });

  test("a deadline that passes while closing is no failed flush: state is safe", () => {
    const { lifecycle, clock } = rigAt("closing");
    clock.advance(9000);
    assert.deepEqual(stopFacts(lifecycle.state as StoppedState, 0), { ...CLEAN, closeFailed: true });
  });

  test("a deadline that passes before the server ever served is 1", () => {
    for (const place of ["starting, stop kept", "flushing, never served", "closing, start failed"] as const) {
      assert.equal(
        endOf(place, ({ clock }) => clock.advance(9000)),
        "start-failed 1",
        place,
      );
    }
  });

  test("a failed start is 1, also when closing fails as well", () => {
    assert.equal(
      endOf("closing, start failed", ({ lifecycle }) => lifecycle.closed()),
      "start-failed 1",
    );
    assert.equal(
      endOf("closing, start failed", ({ lifecycle }) => lifecycle.closed([failure])),
      "start-failed 1",
    );
  });

  test("a forced end is 128 + n, whatever else happened, and from any phase", () => {
    const places: Place[] = [
      "starting",
      "serving",
      "lame-duck",
      "draining",
      "flushing",
      "closing, start failed",
    ];
    for (const place of places) {
      assert.equal(
        endOf(place, ({ lifecycle }) => lifecycle.force("SIGTERM"), 5),
        "forced 143",
        place,
      );
    }
  });
});
