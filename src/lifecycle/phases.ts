/** The phases of a server's life, what each one knows, and which may follow which. */

import type { SignalName } from "./signals.ts";
import type { Stop } from "./stop-plan.ts";

interface StateBase {
  /** When the phase began, on the lifecycle's clock. */
  readonly sinceMs: number;
}

/**
 * Workers make their handlers, resources open; nothing listens for Thrift clients yet.
 *
 * → serving, when all is ready and no stop was asked for
 * → flushing, when all is ready and a stop was kept (shielded start: the listener never opens)
 * → closing, when the start failed or took longer than `startTimeout`
 * → stopped, when the deadline of a kept stop passed or a signal forced it
 */
export interface StartingState extends StateBase {
  readonly phase: "starting";
  /** A stop that was asked for during the start, kept until the start has ended. */
  readonly stop: Stop | undefined;
}

/**
 * Ready; accepts and answers everything.
 *
 * → lame-duck, when a stop is asked for
 * → draining, when a stop is asked for and there is no lame-duck
 * → stopped, when a signal forced it
 */
export interface ServingState extends StateBase {
  readonly phase: "serving";
}

/**
 * Unready, so that load balancers leave, but still accepting and answering everything.
 *
 * → draining, when lame-duck is over or a second signal came
 * → serving, on undrain
 * → stopped, when a signal forced it
 */
export interface LameDuckState extends StateBase {
  readonly phase: "lame-duck";
  readonly stop: Stop;
}

/**
 * The listener closes, connections are closed as they fall silent, calls that were taken are answered.
 *
 * → flushing, when nothing is owed and nothing runs
 * → stopped, when the deadline passed or a signal forced it
 */
export interface DrainingState extends StateBase {
  readonly phase: "draining";
  readonly stop: Stop;
}

/**
 * Workers and process resources flush.
 *
 * → closing, when that is done, with failures or without
 * → stopped, when the deadline passed or a signal forced it
 */
export interface FlushingState extends StateBase {
  readonly phase: "flushing";
  readonly stop: Stop;
}

/**
 * Handlers, resources, the pool and last of all the admin port close.
 *
 * → stopped, when that is done, when the deadline passed, or when a signal forced it
 */
export interface ClosingState extends StateBase {
  readonly phase: "closing";
  readonly stop: Stop;
  /** Why the start failed, when that is why everything is closed. Nothing was flushed then. */
  readonly startFailure: StartFailure | undefined;
  readonly flushFailures: readonly StepFailure[];
}

/** The end; no move leads out of it. */
export interface StoppedState extends StateBase {
  readonly phase: "stopped";
  /** Undefined only when a signal forced the end of a server that nobody had asked to stop. */
  readonly stop: Stop | undefined;
  readonly ending: Ending;
  readonly startFailure: StartFailure | undefined;
  readonly flushFailures: readonly StepFailure[];
  readonly closeFailures: readonly StepFailure[];
}

/** How the last phase was reached; `during` is the phase that was broken off. */
export type Ending =
  | { readonly kind: "closed" }
  | { readonly kind: "deadline"; readonly during: PhaseName }
  | { readonly kind: "forced"; readonly during: PhaseName; readonly signal: SignalName };

/** Why a start failed. An object, because the cause may be anything, undefined too. */
export interface StartFailure {
  readonly cause: unknown;
}

/** One part that could not be flushed or closed. */
export interface StepFailure {
  /** What failed, for people: a resource's name, "worker 3". */
  readonly part: string;
  readonly cause: unknown;
}

/** Where a server is in its life, with what is known there. */
export type LifecycleState =
  | StartingState
  | ServingState
  | LameDuckState
  | DrainingState
  | FlushingState
  | ClosingState
  | StoppedState;

/** Where a server is in its life. An undrain leads from lame-duck back to serving; nothing else leads back. */
export type PhaseName = LifecycleState["phase"];

/** All phases in the order of life. */
export const PHASES: readonly PhaseName[] = [
  "starting",
  "serving",
  "lame-duck",
  "draining",
  "flushing",
  "closing",
  "stopped",
];

/** Which phase may follow which. Whatever is not listed is illegal, a phase following itself too. */
export const legalMoves: Readonly<Record<PhaseName, readonly PhaseName[]>> = {
  starting: ["serving", "flushing", "closing", "stopped"],
  serving: ["lame-duck", "draining", "stopped"],
  "lame-duck": ["serving", "draining", "stopped"],
  draining: ["flushing", "stopped"],
  flushing: ["closing", "stopped"],
  closing: ["stopped"],
  stopped: [],
};

/** Whoever drives the lifecycle reported something that can't be true in this phase: a bug of the driver. */
export class IllegalMoveError extends Error {
  override readonly name = "IllegalMoveError";
  readonly code = "SLUICE_ILLEGAL_MOVE";
  readonly phase: PhaseName;

  constructor(phase: PhaseName, attempt: string) {
    const allowed = legalMoves[phase].join(", ") || "nothing";
    super(`${attempt} is illegal while ${phase}: from here the lifecycle can move to ${allowed}`);
    this.phase = phase;
  }
}

/** Throws unless `to` may follow `from`. */
export function assertLegalMove(from: PhaseName, to: PhaseName): void {
  if (!legalMoves[from].includes(to)) throw new IllegalMoveError(from, `moving to ${to}`);
}
