/** What the lifecycle and the one who drives it say to each other. */

import type { LifecycleState } from "./phases.ts";
import type { Stop, StopSettings } from "./stop-plan.ts";

/** `StopSettings` and how long a start may take. */
export interface LifecycleSettings extends StopSettings {
  /** Infinity: as long as it wants. */
  readonly startTimeoutMs: number;
  /** What a start that takes too long still waits for, for people. */
  readonly startWaitsFor?: () => string;
}

/**
 * What the driver has to do. Calls never nest: an input that a listener makes is taken at once, but what follows from
 * it is told after the listener has returned. `lifecycle.state` may so be ahead of what is being told.
 */
export interface LifecycleListener {
  /** A stop began. Comes before the phase changes; in `starting` it changes only when the start has ended. */
  onStopBegun(stop: Stop): void;
  /** A second signal shortened the plan: `stop.plan` holds the new times. */
  onStopHastened(stop: Stop): void;
  onPhase(state: LifecycleState, previous: LifecycleState): void;
  /** Unprotected calls that still run are told to end. Only in `draining`, once at most, before `onCut`. */
  onAbortNotice(): void;
  /** Unprotected calls that still run are cut. Only in `draining`, once at most, before `onLastCall`. */
  onCut(): void;
  /** All calls that still run are cut, protected ones too; the reserve begins. Only in `draining`, once at most. */
  onLastCall(): void;
  /** The whole grace is over: settle the books, `onPhase(stopped)` follows at once, then leave. */
  onDeadline(): void;
  /** The stop was taken back; told after `onPhase(serving)`. The next one is a new one. */
  onUndrained(stop: Stop): void;
}

/** What became of a fact: `too-late` when the lifecycle had already moved on by itself (time-out, deadline, force). */
export type FactAnswer = "taken" | "too-late";

/** What became of a wish; one that made no sense says so in `why`. */
export type WishAnswer = { readonly kind: "done" } | { readonly kind: "ignored"; readonly why: string };

/** What became of a request to stop: it began a stop, or joined the one in progress. */
export type StopAnswer =
  | { readonly kind: "began"; readonly stop: Stop }
  | { readonly kind: "joined"; readonly stop: Stop }
  | { readonly kind: "ignored"; readonly why: string };
