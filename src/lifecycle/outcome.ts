/** How a server's life ended, in one word and one exit code. */

import type { StoppedState } from "./phases.ts";
import { type SignalName, signalNumber } from "./signals.ts";

/**
 * The one word of the `stopped` log line. `start-failed` occurs only when the server never served; every stop of a
 * server that did ends with one of the other four.
 */
export type StopOutcome = "clean" | "cut" | "flush-failed" | "start-failed" | "forced";

/** Exit codes that are part of the contract; a forced exit has 128 + the signal's number. */
export const EXIT_CODES = {
  clean: 0,
  startFailed: 1,
  badOption: 2,
  cut: 3,
  flushFailed: 4,
  mainThreadCrashed: 70,
} as const;

/** All that the outcome depends on. */
export interface StopFacts {
  /** The signal that forced the end; undefined if none did. */
  readonly forcedBy: SignalName | undefined;
  readonly startFailed: boolean;
  /** A flush failed, or was not finished by the deadline: state may be lost. */
  readonly flushFailed: boolean;
  /** A close failed, or was not finished by the deadline. */
  readonly closeFailed: boolean;
  /** How many calls had the outcome `cut` because of the stop. */
  readonly cutCalls: number;
}

/**
 * Reads the facts off the last state. A deadline that passed before the flush was done counts as a failed flush,
 * one that passed while closing as a failed close, and one that passed before the server ever served as a failed
 * start.
 *
 * @param cutCalls from the call ledger, without those before the stop
 */
export function stopFacts(state: StoppedState, cutCalls: number): StopFacts {
  const { ending } = state;
  const overrun = ending.kind === "deadline" ? ending.during : undefined;
  const served = state.stop?.beganIn === "serving";
  return {
    forcedBy: ending.kind === "forced" ? ending.signal : undefined,
    startFailed: state.startFailure !== undefined || (overrun !== undefined && !served),
    flushFailed: state.flushFailures.length > 0 || (overrun !== undefined && overrun !== "closing"),
    closeFailed: state.closeFailures.length > 0 || overrun === "closing",
    cutCalls,
  };
}

/** The outcome: forced goes before start-failed, that before flush-failed, that before cut. */
export function stopOutcome(facts: StopFacts): StopOutcome {
  if (facts.forcedBy !== undefined) return "forced";
  if (facts.startFailed) return "start-failed";
  if (facts.flushFailed || facts.closeFailed) return "flush-failed";
  return facts.cutCalls > 0 ? "cut" : "clean";
}

/** The exit code that belongs to the outcome of the same facts. */
export function exitCodeOf(facts: StopFacts): number {
  if (facts.forcedBy !== undefined) return 128 + signalNumber(facts.forcedBy);
  const codes = {
    clean: EXIT_CODES.clean,
    cut: EXIT_CODES.cut,
    "flush-failed": EXIT_CODES.flushFailed,
    "start-failed": EXIT_CODES.startFailed,
  };
  return codes[stopOutcome(facts) as keyof typeof codes];
}
