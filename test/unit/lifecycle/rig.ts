/** A lifecycle on a fake clock whose listener writes down what it is told, and when. */

import assert from "node:assert/strict";
import type { LifecycleListener, LifecycleSettings } from "../../../src/lifecycle/driver.ts";
import { Lifecycle } from "../../../src/lifecycle/lifecycle.ts";
import type { PhaseName } from "../../../src/lifecycle/phases.ts";
import type { StopRequest } from "../../../src/lifecycle/stop-plan.ts";
import { FakeClock } from "./fake-clock.ts";

/** Every duration differs, so that no two rules give the same time by accident. */
export const SETTINGS: LifecycleSettings = {
  graceMs: 9000,
  lameDuckMs: 1200,
  quietMs: 100,
  busyCloseMs: 1000,
  reserveMs: 2000,
  callGraceMs: 3000,
  abortNoticeMs: 250,
  startTimeoutMs: 60_000,
};

export const SIGTERM: StopRequest = { source: "signal", reason: "SIGTERM", signal: "SIGTERM" };
export const POST: StopRequest = { source: "post", reason: "POST /drain" };
export const API: StopRequest = { source: "api", reason: "server.drain()" };

export interface Rig {
  readonly clock: FakeClock;
  readonly lifecycle: Lifecycle;
  /** What was told, with the time since the rig was made: `draining@1200`, `cut@4200`. */
  readonly told: string[];
  /** Replaced by tests that answer from inside the listener. */
  react: (event: string) => void;
}

/** Makes a lifecycle in `starting`. Its listener fails when it is called while it is being called. */
export function createRig(settings: Partial<LifecycleSettings> = {}): Rig {
  const clock = new FakeClock();
  const originMs = clock.now();
  const told: string[] = [];
  let telling = false;
  const tell = (event: string): void => {
    assert.ok(!telling, `${event} was told while the listener was still busy`);
    told.push(`${event}@${clock.now() - originMs}`);
    telling = true;
    try {
      rig.react(event);
    } finally {
      telling = false;
    }
  };
  const listener: LifecycleListener = {
    onStopBegun: () => tell("begun"),
    onStopHastened: () => tell("hastened"),
    onPhase: (state) => tell(state.phase),
    onAbortNotice: () => tell("notice"),
    onCut: () => tell("cut"),
    onLastCall: () => tell("last-call"),
    onDeadline: () => tell("deadline"),
    onUndrained: () => tell("undrained"),
  };
  const lifecycle = new Lifecycle({ ...SETTINGS, ...settings }, clock, listener);
  const rig: Rig = { clock, lifecycle, told, react: () => {} };
  return rig;
}

/** Where a test begins: a phase, and in `starting` and `closing` how it came about. */
export type Place =
  | PhaseName
  | "starting, stop kept"
  | "flushing, never served"
  | "closing, start failed"
  | "lame-duck, asked for by POST";

/** Brings a new lifecycle to a place by legal inputs at time 0 (lame-duck by its timer), then forgets what was told. */
export function rigAt(place: Place, settings: Partial<LifecycleSettings> = {}): Rig {
  const rig = createRig(settings);
  const { lifecycle, clock } = rig;
  const drain = (): void => {
    lifecycle.started();
    lifecycle.requestStop(SIGTERM);
    if (lifecycle.state.phase === "lame-duck") clock.advance({ ...SETTINGS, ...settings }.lameDuckMs);
  };
  const route: Record<Place, () => void> = {
    starting: () => {},
    "starting, stop kept": () => lifecycle.requestStop(SIGTERM),
    serving: () => lifecycle.started(),
    "lame-duck": () => [lifecycle.started(), lifecycle.requestStop(SIGTERM)],
    "lame-duck, asked for by POST": () => [lifecycle.started(), lifecycle.requestStop(POST)],
    draining: drain,
    flushing: () => [drain(), lifecycle.callsSettled()],
    "flushing, never served": () => [lifecycle.requestStop(SIGTERM), lifecycle.started()],
    closing: () => [drain(), lifecycle.callsSettled(), lifecycle.flushed()],
    "closing, start failed": () => lifecycle.startFailed(new Error("no database")),
    stopped: () => [drain(), lifecycle.callsSettled(), lifecycle.flushed(), lifecycle.closed()],
  };
  route[place]();
  rig.told.length = 0;
  return rig;
}
