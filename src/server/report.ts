/** The drain report: what became of every call, and how the stop went. */
import type { DrainPlan, WaitedCall } from "../admin/source.ts";
import type { CallTotals } from "../calls/call-ledger.ts";
import type { CutCall } from "../calls/desk.ts";
import { exitCodeOf, type StopFacts, type StopOutcome, stopOutcome } from "../lifecycle/outcome.ts";
import type { PhaseName, StoppedState } from "../lifecycle/phases.ts";
import { type DrainTimeline, drainPlanOf } from "./drain-timeline.ts";

export type { DrainPlan, WaitedCall };

/** What `server.drain()` resolves with, and the `stopped` line says at its top level. */
export interface DrainReport extends Omit<CallTotals, "owed" | "orphanedStarted"> {
  /** The stop in one word; the exit code follows from it. */
  readonly outcome: StopOutcome;
  /** Why the server stopped: the signal's name, or what the API or POST gave. */
  readonly reason: string;
  /** Calls that have no outcome; more than 0 only when the stop was forced or overran its grace. */
  readonly owed: number;
  /** Of the orphaned calls: how many had started. */
  readonly orphanedStarted: number;
  /** From the request to stop until the report was made, in ms. */
  readonly drainMs: number;
  /** How long each phase took, in ms. */
  readonly phases: Readonly<Partial<Record<PhaseName, number>>>;
  /** When what was due, counted from the request to stop, in ms. Null when nobody had asked for it. */
  readonly plan: DrainPlan | null;
  /** The calls that the drain waited for longest, longest first, at most 100 of them. */
  readonly waitedFor: readonly WaitedCall[];
  /** How many more it waited for. */
  readonly moreWaitedFor: number;
  /** The calls that were cut, at most 1,000 of them. */
  readonly cutCalls: readonly CutCall[];
  /** What could not be flushed or closed. */
  readonly failures: readonly {
    /** A resource's name, "worker 3", or "start". */
    readonly part: string;
    /** The text of what was thrown. */
    readonly error: string;
  }[];
  /** Log lines dropped because their reader stood still. */
  readonly droppedLogLines: number;
  /** Threads in native code that could not be ended: only the end of the process ends them. */
  readonly unterminatedThreads: number;
  /** What `sluice serve` exits with: 0 clean, 1, 3 or 4, 128 + n when signal n forced the end. */
  readonly exitCode: number;
}

export interface ReportParts {
  readonly state: StoppedState;
  readonly facts: StopFacts;
  readonly totals: CallTotals;
  /** Undefined when there was no drain. */
  readonly timeline: DrainTimeline | undefined;
  readonly cutCalls: readonly CutCall[];
  readonly drainMs: number;
  readonly phases: Readonly<Partial<Record<PhaseName, number>>>;
  readonly droppedLogLines: number;
  readonly unterminatedThreads: number;
}

export function createReport(parts: ReportParts): DrainReport {
  const { state, facts, totals } = parts;
  const { startFailure, flushFailures, closeFailures } = state;
  const failures = [...flushFailures, ...closeFailures];
  return {
    outcome: stopOutcome(facts),
    reason: state.stop?.request.reason ?? "forced",
    ...totals,
    drainMs: roundMs(parts.drainMs),
    phases: Object.fromEntries(Object.entries(parts.phases).map(([phase, ms]) => [phase, roundMs(ms)])),
    plan: state.stop === undefined ? null : drainPlanOf(state.stop.plan),
    waitedFor: parts.timeline?.waitedFor ?? [],
    moreWaitedFor: parts.timeline?.more ?? 0,
    cutCalls: parts.cutCalls,
    failures: [
      ...(startFailure === undefined ? [] : [{ part: "start", error: textOf(startFailure.cause) }]),
      ...failures.map(({ part, cause }) => ({ part, error: textOf(cause) })),
    ],
    droppedLogLines: parts.droppedLogLines,
    unterminatedThreads: parts.unterminatedThreads,
    exitCode: exitCodeOf(facts),
  };
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
