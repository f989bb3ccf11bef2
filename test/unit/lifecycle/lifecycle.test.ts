/** What a stop does over time, in the order in which its driver is told. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StartTimeoutError, UndrainRefusedError } from "../../../src/lifecycle/errors.ts";
import type { StoppedState } from "../../../src/lifecycle/phases.ts";
import { StopSettingsError } from "../../../src/lifecycle/stop-plan.ts";
import { API, createRig, type Place, POST, rigAt, SIGTERM } from "./rig.ts";

describe("a stop over time", () => {
  test("a stop that waits for nothing goes through every phase and leaves no timer", () => {
    const { lifecycle, clock, told } = createRig();
    clock.advance(40);
    lifecycle.started();
    clock.advance(60);
    lifecycle.requestStop(SIGTERM);
    clock.advance(1700);
    lifecycle.callsSettled();
    clock.advance(30);
    lifecycle.flushed();
    clock.advance(7);
    lifecycle.closed();
    assert.deepEqual(told, [
      "serving@40",
      "begun@100",
      "lame-duck@100",
      "draining@1300",
      "flushing@1800",
      "closing@1830",
      "stopped@1837",
    ]);
    assert.equal(clock.pending, 0);
    clock.advance(100_000);
    assert.equal(told.length, 7);
  });

  test("without lame-duck a stop drains at once", () => {
    const { lifecycle, told } = rigAt("serving", { lameDuckMs: 0 });
    lifecycle.requestStop(POST);
    assert.deepEqual(told, ["begun@0", "draining@0"]);
  });

  test("calls that never end get notice, cut and last call, and the deadline ends the stop", () => {
    const { lifecycle, clock, told } = rigAt("serving");
    lifecycle.requestStop(SIGTERM);
    clock.advance(20_000);
    assert.deepEqual(told, [
      "begun@0",
      "lame-duck@0",
      "draining@1200",
      "notice@3950",
      "cut@4200",
      "last-call@7000",
      "deadline@9000",
      "stopped@9000",
    ]);
    assert.deepEqual((lifecycle.state as StoppedState).ending, { kind: "deadline", during: "draining" });
    assert.equal(clock.pending, 0);
  });

  test("without callGrace calls have all that grace leaves: cut and last call come together, in order", () => {
    const { lifecycle, clock, told } = rigAt("serving", { callGraceMs: undefined });
    lifecycle.requestStop(SIGTERM);
    clock.advance(7000);
    assert.deepEqual(told.slice(3), ["notice@6750", "cut@7000", "last-call@7000"]);
  });

  test("with callGrace 0 notice and cut come as soon as draining begins", () => {
    const { lifecycle, clock, told } = rigAt("serving", { callGraceMs: 0 });
    lifecycle.requestStop(SIGTERM);
    clock.advance(1200);
    assert.deepEqual(told.slice(2), ["draining@1200", "notice@1200", "cut@1200"]);
  });

  test("settled calls need no notice, no cut and no last call any more", () => {
    const { lifecycle, clock, told } = rigAt("draining");
    lifecycle.callsSettled();
    clock.advance(6999);
    assert.deepEqual(told, ["flushing@1200"]);
  });

  test("calls that settle between cut and last call hear no last call", () => {
    const { lifecycle, clock, told } = rigAt("draining");
    clock.advance(3000);
    lifecycle.callsSettled();
    clock.advance(3000);
    assert.deepEqual(told, ["notice@3950", "cut@4200", "flushing@4200"]);
  });

  for (const place of ["draining", "flushing", "closing"] as const) {
    test(`the deadline ends a stop that hangs while ${place}`, () => {
      const { lifecycle, clock, told } = rigAt(place);
      clock.advance(9000);
      assert.deepEqual(told.slice(-2), ["deadline@9000", "stopped@9000"]);
      assert.deepEqual((lifecycle.state as StoppedState).ending, { kind: "deadline", during: place });
      assert.equal(clock.pending, 0);
    });
  }

  test("an event loop that comes late to everything still keeps the order", () => {
    const { lifecycle, clock, told } = rigAt("serving");
    lifecycle.requestStop(SIGTERM);
    clock.stall(30_000);
    assert.deepEqual(told.slice(2), [
      "draining@30000",
      "notice@30000",
      "cut@30000",
      "last-call@30000",
      "deadline@30000",
      "stopped@30000",
    ]);
  });

  test("a late event loop takes nothing back that the listener settles in between", () => {
    const rig = rigAt("draining");
    rig.react = (event) => event === "cut" && rig.lifecycle.callsSettled();
    rig.clock.stall(6000);
    assert.deepEqual(rig.told, ["notice@7200", "cut@7200", "flushing@7200"]);
  });

  test("failures of flush and close are kept for the report", () => {
    const { lifecycle } = rigAt("flushing");
    const flush = { part: "ledger", cause: new Error("disk full") };
    const close = { part: "worker 2", cause: new Error("stuck") };
    lifecycle.flushed([flush]);
    lifecycle.closed([close]);
    const state = lifecycle.state as StoppedState;
    assert.deepEqual(state.ending, { kind: "closed" });
    assert.deepEqual(state.flushFailures, [flush]);
    assert.deepEqual(state.closeFailures, [close]);
  });

  test("settings that contradict each other are refused before anything starts", () => {
    assert.throws(() => createRig({ reserveMs: 8900 }), StopSettingsError);
  });
});

describe("requests that join", () => {
  test("a drain asked for twice is one: the first one's times hold", () => {
    const { lifecycle, clock, told } = rigAt("serving");
    const first = lifecycle.requestStop(POST);
    clock.advance(500);
    const second = lifecycle.requestStop(SIGTERM);
    assert.equal(first.kind, "began");
    assert.equal(second.kind, "joined");
    assert.equal(lifecycle.stop?.request, POST);
    assert.deepEqual(lifecycle.stop?.joined, [SIGTERM]);
    clock.advance(20_000);
    assert.deepEqual(told.slice(0, 3), ["begun@0", "lame-duck@0", "draining@1200"]);
    assert.equal(told.at(-1), "stopped@9000");
  });

  test("a stop asked for while a failed start closes joins it", () => {
    const { lifecycle } = rigAt("closing, start failed");
    assert.equal(lifecycle.requestStop(SIGTERM).kind, "joined");
    assert.equal(lifecycle.stop?.request.source, "start-failed");
  });
});

describe("hasten", () => {
  test("in lame-duck: draining and notice now, the cut a notice later, last call and deadline as planned", () => {
    const { lifecycle, clock, told } = rigAt("lame-duck");
    clock.advance(300);
    lifecycle.hasten();
    clock.advance(20_000);
    assert.deepEqual(told, [
      "hastened@300",
      "draining@300",
      "notice@300",
      "cut@550",
      "last-call@7000",
      "deadline@9000",
      "stopped@9000",
    ]);
  });

  test("in draining: notice now, the cut a notice later", () => {
    const { lifecycle, clock, told } = rigAt("draining");
    clock.advance(100);
    lifecycle.hasten();
    assert.deepEqual(told, ["hastened@1300", "notice@1300"]);
    clock.advance(250);
    assert.deepEqual(told.slice(2), ["cut@1550"]);
  });

  test("after the notice: no second notice, and the cut comes no later than planned", () => {
    const { lifecycle, clock, told } = rigAt("draining");
    clock.advanceTo(clock.now() + 2850);
    lifecycle.hasten();
    clock.advance(1000);
    assert.deepEqual(told, ["notice@3950", "hastened@4050", "cut@4200"]);
  });

  test("after the cut it changes nothing more", () => {
    const { lifecycle, clock, told } = rigAt("draining");
    clock.advance(3500);
    assert.equal(lifecycle.hasten().kind, "done");
    clock.advance(2300);
    assert.deepEqual(told, ["notice@3950", "cut@4200", "hastened@4700", "last-call@7000"]);
  });

  test("a second time is ignored", () => {
    const { lifecycle, clock } = rigAt("draining");
    lifecycle.hasten();
    clock.advance(10);
    const { plan } = lifecycle.stop!;
    assert.deepEqual(lifecycle.hasten(), { kind: "ignored", why: "the stop was hastened already" });
    assert.equal(lifecycle.stop?.plan, plan);
  });

  test("during a shielded start the start still completes", () => {
    const { lifecycle, clock, told } = rigAt("starting, stop kept");
    lifecycle.hasten();
    clock.advance(2000);
    lifecycle.started();
    assert.deepEqual(told, ["hastened@0", "flushing@2000"]);
  });

  test("called from inside the listener, it is told after the listener has returned", () => {
    const rig = rigAt("serving");
    rig.react = (event) => event === "lame-duck" && rig.lifecycle.hasten();
    rig.lifecycle.requestStop(SIGTERM);
    assert.deepEqual(rig.told, ["begun@0", "lame-duck@0", "hastened@0", "draining@0", "notice@0"]);
  });
});

describe("force", () => {
  const places: Place[] = [
    "starting",
    "starting, stop kept",
    "serving",
    "lame-duck",
    "draining",
    "flushing",
    "closing",
  ];
  for (const place of places) {
    test(`ends ${place} at once and leaves no timer`, () => {
      const { lifecycle, clock, told } = rigAt(place);
      const during = lifecycle.state.phase;
      lifecycle.force("SIGINT");
      assert.deepEqual((lifecycle.state as StoppedState).ending, {
        kind: "forced",
        during,
        signal: "SIGINT",
      });
      assert.equal(clock.pending, 0);
      clock.advance(100_000);
      assert.deepEqual(
        told.map((event) => event.split("@")[0]),
        ["stopped"],
      );
    });
  }

  test("facts that arrive after it are too late, not wrong", () => {
    const { lifecycle } = rigAt("draining");
    lifecycle.force("SIGTERM");
    assert.equal(lifecycle.callsSettled(), "too-late");
    assert.equal(lifecycle.flushed(), "too-late");
    assert.equal(lifecycle.closed(), "too-late");
  });

  test("what failed before it is still reported", () => {
    const { lifecycle } = rigAt("flushing");
    lifecycle.flushed([{ part: "ledger", cause: undefined }]);
    lifecycle.force("SIGTERM");
    assert.equal((lifecycle.state as StoppedState).flushFailures.length, 1);
  });
});

describe("start", () => {
  test("a stop during a start is kept: the start completes, nothing is served, all is flushed and closed", () => {
    const { lifecycle, clock, told } = createRig();
    clock.advance(100);
    assert.equal(lifecycle.requestStop(SIGTERM).kind, "began");
    assert.equal(lifecycle.state.phase, "starting");
    clock.advance(3000);
    lifecycle.started();
    lifecycle.flushed();
    lifecycle.closed();
    assert.deepEqual(told, ["begun@100", "flushing@3100", "closing@3100", "stopped@3100"]);
    assert.equal(lifecycle.stop?.beganIn, "starting");
    assert.equal(clock.pending, 0);
  });

  test("a start that outlives the deadline of a kept stop ends there", () => {
    const { lifecycle, clock, told } = rigAt("starting, stop kept");
    clock.advance(8999);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, ["deadline@9000", "stopped@9000"]);
    assert.deepEqual((lifecycle.state as StoppedState).ending, { kind: "deadline", during: "starting" });
    assert.equal(lifecycle.started(), "too-late");
  });

  test("a start that takes longer than startTimeout fails and is closed within a grace of its own", () => {
    const { lifecycle, clock, told } = createRig({ startTimeoutMs: 500 });
    clock.advance(500);
    assert.deepEqual(told, ["begun@500", "closing@500"]);
    assert.equal(lifecycle.started(), "too-late");
    clock.advance(9000);
    assert.deepEqual(told.slice(2), ["deadline@9500", "stopped@9500"]);
    const { startFailure } = lifecycle.state as StoppedState;
    assert.ok(startFailure?.cause instanceof StartTimeoutError);
  });

  test("startTimeout holds for a start that a stop waits for, too", () => {
    const { lifecycle, clock, told } = createRig({ startTimeoutMs: 500 });
    lifecycle.requestStop(SIGTERM);
    clock.advance(600);
    assert.deepEqual(told, ["begun@0", "closing@500"]);
    assert.equal(lifecycle.stop?.request, SIGTERM);
  });

  test("a server that serves has no start timeout any more", () => {
    const { clock, told } = rigAt("serving", { startTimeoutMs: 500 });
    assert.equal(clock.pending, 0);
    clock.advance(1000);
    assert.deepEqual(told, []);
  });

  test("an infinite startTimeout sets no timer", () => {
    assert.equal(createRig({ startTimeoutMs: Number.POSITIVE_INFINITY }).clock.pending, 0);
  });

  test("a failed start keeps its cause, also when that is undefined", () => {
    const { lifecycle } = createRig();
    lifecycle.startFailed(undefined);
    lifecycle.closed();
    assert.deepEqual((lifecycle.state as StoppedState).startFailure, { cause: undefined });
  });
});

describe("undrain", () => {
  for (const request of [POST, API]) {
    test(`takes back a drain asked for by ${request.source}; the next one is a new one`, () => {
      const { lifecycle, clock, told } = rigAt("serving");
      lifecycle.requestStop(request);
      clock.advance(1000);
      lifecycle.undrain();
      assert.equal(lifecycle.stop, undefined);
      assert.equal(clock.pending, 0);
      clock.advance(50_000);
      assert.equal(lifecycle.requestStop(SIGTERM).kind, "began");
      clock.advance(1200);
      assert.deepEqual(told, [
        "begun@0",
        "lame-duck@0",
        "serving@1000",
        "undrained@1000",
        "begun@51000",
        "lame-duck@51000",
        "draining@52200",
      ]);
    });
  }

  test("a listener that drains again at once is told in order", () => {
    const rig = rigAt("lame-duck, asked for by POST");
    rig.react = (event) => event === "serving" && rig.lifecycle.requestStop(API);
    rig.lifecycle.undrain();
    assert.deepEqual(rig.told, ["serving@0", "undrained@0", "begun@0", "lame-duck@0"]);
  });

  const refusals: [Place, string][] = [
    ["starting", "starting"],
    ["starting, stop kept", "starting"],
    ["serving", "no-stop"],
    ["lame-duck", "signal"],
    ["draining", "too-late"],
    ["flushing", "too-late"],
    ["closing", "too-late"],
    ["stopped", "too-late"],
  ];
  for (const [place, why] of refusals) {
    test(`is refused while ${place}: ${why}`, () => {
      const { lifecycle } = rigAt(place);
      assert.throws(
        () => lifecycle.undrain(),
        (error) => error instanceof UndrainRefusedError && error.why === why,
      );
    });
  }

  test("is refused when a signal has joined a drain asked for by POST", () => {
    const { lifecycle } = rigAt("lame-duck, asked for by POST");
    lifecycle.requestStop(SIGTERM);
    assert.throws(() => lifecycle.undrain(), { code: "SLUICE_UNDRAIN_REFUSED", why: "signal" });
  });

  test("is refused when the server stops because of a fault, whoever asked first", () => {
    const { lifecycle } = rigAt("lame-duck, asked for by POST");
    lifecycle.requestStop({ source: "fault", reason: "the state thread died" });
    assert.throws(() => lifecycle.undrain(), { why: "fault", message: /because the state thread died/ });
  });

  test("is granted when another POST has joined", () => {
    const { lifecycle } = rigAt("lame-duck, asked for by POST");
    lifecycle.requestStop(API);
    lifecycle.undrain();
    assert.equal(lifecycle.state.phase, "serving");
  });
});

describe("times for the report", () => {
  test("each phase has its time, and drainMs is the whole stop", () => {
    const { lifecycle, clock } = createRig();
    clock.advance(40);
    lifecycle.started();
    clock.advance(60);
    lifecycle.requestStop(SIGTERM);
    clock.advance(1700);
    assert.equal(lifecycle.phaseMs().draining, 500, "the current phase counts up to now");
    assert.equal(lifecycle.drainMs(), 1700);
    lifecycle.callsSettled();
    clock.advance(30);
    lifecycle.flushed();
    clock.advance(7);
    lifecycle.closed();
    clock.advance(999);
    assert.deepEqual(lifecycle.phaseMs(), {
      starting: 40,
      serving: 60,
      "lame-duck": 1200,
      draining: 500,
      flushing: 30,
      closing: 7,
      stopped: 0,
    });
    assert.equal(lifecycle.drainMs(), 1737);
  });

  test("an undrained lame-duck is in no report, serving adds up", () => {
    const { lifecycle, clock } = rigAt("serving");
    clock.advance(10);
    lifecycle.requestStop(POST);
    assert.equal(lifecycle.drainMs(), 0);
    clock.advance(700);
    lifecycle.undrain();
    assert.equal(lifecycle.drainMs(), 0);
    clock.advance(5);
    assert.equal(lifecycle.phaseMs()["lame-duck"], 0);
    assert.equal(lifecycle.phaseMs().serving, 15);
  });
});

describe("a listener that throws", () => {
  test("loses neither the later calls nor the deadline", () => {
    const rig = rigAt("draining");
    rig.react = (event) => {
      if (event === "cut") throw new Error("bug");
    };
    assert.throws(() => rig.clock.advance(5000), /bug/);
    rig.clock.advance(9000);
    assert.deepEqual(
      rig.told.slice(-3).map((event) => event.split("@")[0]),
      ["last-call", "deadline", "stopped"],
    );
  });
});
