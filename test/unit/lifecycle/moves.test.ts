/** Every place of the lifecycle with every input: what it does there, or how it refuses. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Lifecycle } from "../../../src/lifecycle/lifecycle.ts";
import {
  assertLegalMove,
  IllegalMoveError,
  legalMoves,
  PHASES,
  type PhaseName,
} from "../../../src/lifecycle/phases.ts";
import { createRig, type Place, POST, type Rig, rigAt, SIGTERM } from "./rig.ts";

const INPUTS = {
  started: (lifecycle: Lifecycle): string => lifecycle.started(),
  startFailed: (lifecycle: Lifecycle): string => lifecycle.startFailed(new Error("no port")),
  callsSettled: (lifecycle: Lifecycle): string => lifecycle.callsSettled(),
  flushed: (lifecycle: Lifecycle): string => lifecycle.flushed(),
  closed: (lifecycle: Lifecycle): string => lifecycle.closed(),
  requestStop: (lifecycle: Lifecycle): string => lifecycle.requestStop(POST).kind,
  hasten: (lifecycle: Lifecycle): string => lifecycle.hasten().kind,
  force: (lifecycle: Lifecycle): string => lifecycle.force("SIGINT").kind,
  undrain: (lifecycle: Lifecycle): string => {
    lifecycle.undrain();
    return "done";
  },
};
type Input = keyof typeof INPUTS;

const ILLEGAL = "throws SLUICE_ILLEGAL_MOVE";
const NO_UNDRAIN = "throws SLUICE_UNDRAIN_REFUSED";

/** Per place and input: the answer, and the phase afterwards where it changes. */
const TABLE: Record<Place, Record<Input, string>> = {
  starting: {
    started: "taken → serving",
    startFailed: "taken → closing",
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: ILLEGAL,
    requestStop: "began",
    hasten: "ignored",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  "starting, stop kept": {
    started: "taken → flushing",
    startFailed: "taken → closing",
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: ILLEGAL,
    requestStop: "joined",
    hasten: "done",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  serving: {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: ILLEGAL,
    requestStop: "began → lame-duck",
    hasten: "ignored",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  "lame-duck": {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: ILLEGAL,
    requestStop: "joined",
    hasten: "done → draining",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  "lame-duck, asked for by POST": {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: ILLEGAL,
    requestStop: "joined",
    hasten: "done → draining",
    force: "done → stopped",
    undrain: "done → serving",
  },
  draining: {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: "taken → flushing",
    flushed: ILLEGAL,
    closed: ILLEGAL,
    requestStop: "joined",
    hasten: "done",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  flushing: {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: ILLEGAL,
    flushed: "taken → closing",
    closed: ILLEGAL,
    requestStop: "joined",
    hasten: "ignored",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  "flushing, never served": {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: ILLEGAL,
    flushed: "taken → closing",
    closed: ILLEGAL,
    requestStop: "joined",
    hasten: "ignored",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  closing: {
    started: ILLEGAL,
    startFailed: ILLEGAL,
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: "taken → stopped",
    requestStop: "joined",
    hasten: "ignored",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  "closing, start failed": {
    started: "too-late",
    startFailed: "too-late",
    callsSettled: ILLEGAL,
    flushed: ILLEGAL,
    closed: "taken → stopped",
    requestStop: "joined",
    hasten: "ignored",
    force: "done → stopped",
    undrain: NO_UNDRAIN,
  },
  stopped: {
    started: "too-late",
    startFailed: "too-late",
    callsSettled: "too-late",
    flushed: "too-late",
    closed: "too-late",
    requestStop: "ignored",
    hasten: "ignored",
    force: "ignored",
    undrain: NO_UNDRAIN,
  },
};

function tryInput({ lifecycle }: Rig, input: Input): string {
  const before = lifecycle.state.phase;
  let answer: string;
  try {
    answer = INPUTS[input](lifecycle);
  } catch (error) {
    answer = `throws ${(error as { code: string }).code}`;
  }
  const after = lifecycle.state.phase;
  return after === before ? answer : `${answer} → ${after}`;
}

describe("every input in every place", () => {
  for (const [place, answers] of Object.entries(TABLE) as [Place, Record<Input, string>][]) {
    for (const [input, expected] of Object.entries(answers) as [Input, string][]) {
      test(`${input} while ${place}: ${expected}`, () => {
        const rig = rigAt(place);
        const stateBefore = rig.lifecycle.state;
        assert.equal(tryInput(rig, input), expected);
        if (expected.startsWith("throws") || expected === "ignored" || expected === "too-late") {
          assert.equal(rig.lifecycle.state, stateBefore, "a refused input changes nothing");
          assert.deepEqual(rig.told, [], "a refused input tells nothing");
        }
      });
    }
  }

  test("the places cover all phases, and every phase that is entered is told", () => {
    const phases = new Set(Object.keys(TABLE).map((place) => rigAt(place as Place).lifecycle.state.phase));
    assert.deepEqual([...phases].sort(), [...PHASES].sort());
    for (const [place, answers] of Object.entries(TABLE) as [Place, Record<Input, string>][]) {
      for (const [input, expected] of Object.entries(answers) as [Input, string][]) {
        const rig = rigAt(place);
        tryInput(rig, input);
        const entered = expected.split(" → ")[1];
        const toldPhases = rig.told
          .map((event) => event.split("@")[0])
          .filter((e) => PHASES.includes(e as PhaseName));
        assert.deepEqual(toldPhases, entered === undefined ? [] : [entered], `${input} while ${place}`);
      }
    }
  });
});

describe("the table of legal moves", () => {
  const allowed = new Set([
    "starting serving",
    "starting flushing",
    "starting closing",
    "serving lame-duck",
    "serving draining",
    "lame-duck serving",
    "lame-duck draining",
    "draining flushing",
    "flushing closing",
    ...PHASES.filter((phase) => phase !== "stopped").map((phase) => `${phase} stopped`),
  ]);
  for (const from of PHASES) {
    for (const to of PHASES) {
      const legal = allowed.has(`${from} ${to}`);
      test(`${from} → ${to} is ${legal ? "legal" : "illegal"}`, () => {
        assert.equal(legalMoves[from].includes(to), legal);
        if (legal) assertLegalMove(from, to);
        else assert.throws(() => assertLegalMove(from, to), IllegalMoveError);
      });
    }
  }

  test("an illegal move names the phase, the attempt and what would be legal", () => {
    const { lifecycle } = rigAt("serving");
    assert.throws(
      () => lifecycle.flushed(),
      (error: IllegalMoveError) =>
        error.phase === "serving" &&
        error.message ===
          "flushed() is illegal while serving: from here the lifecycle can move to lame-duck, draining, stopped",
    );
  });
});

describe("the places themselves", () => {
  test("a lifecycle begins in starting and tells nothing of it", () => {
    const { lifecycle, told } = createRig();
    assert.equal(lifecycle.state.phase, "starting");
    assert.equal(lifecycle.stop, undefined);
    assert.deepEqual(told, []);
  });

  test("a wish that is ignored says why", () => {
    const serving = rigAt("serving").lifecycle;
    const stopped = rigAt("stopped").lifecycle;
    const flushing = rigAt("flushing").lifecycle;
    assert.deepEqual(serving.hasten(), { kind: "ignored", why: "no stop is in progress" });
    assert.deepEqual(flushing.hasten(), {
      kind: "ignored",
      why: "no call is waited for any more: the server is flushing",
    });
    for (const answer of [stopped.requestStop(SIGTERM), stopped.force("SIGTERM")]) {
      assert.deepEqual(answer, { kind: "ignored", why: "the server has stopped already" });
    }
  });
});
