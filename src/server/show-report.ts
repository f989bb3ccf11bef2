/** The drain report for people. */
import type { DrainReport } from "./report.ts";

/** In the order of the contract. */
const outcomes = ["completed", "failed", "rejected", "expired", "orphaned", "oneway", "cut"] as const;
/** Calls that a report on a terminal names. */
const mostShownCalls = 10;

/** The report's lines: how it ended, calls, phases, and what was waited for, was cut or failed if there was any. */
export function showReport(report: DrainReport): string[] {
  const { outcome, reason, drainMs, exitCode, received, owed, waitedFor, moreWaitedFor } = report;
  const phases = Object.entries(report.phases)
    .filter(([phase, ms]) => ms > 0 && phase !== "starting" && phase !== "serving")
    .map(([phase, ms]) => `${phase} ${showSeconds(ms)}`);
  const shown = waitedFor.slice(0, mostShownCalls).map(showWaited);
  const more = moreWaitedFor + waitedFor.length - shown.length;
  return [
    `${outcome} after ${showSeconds(drainMs)} (${reason}), exit code ${exitCode}`,
    `calls        received ${received}: ${showOutcomes(report)}${owed === 0 ? "" : `; no outcome ${owed}`}`,
    ...(phases.length === 0 ? [] : [`phases       ${phases.join(", ")}`]),
    ...(shown.length === 0 ? [] : ["waited for", ...shown]),
    ...(more === 0 ? [] : [`  and ${more} more, for which it waited less long`]),
    ...report.failures.map(({ part, error }) => `failed       ${part}: ${error}`),
  ];
}

function showWaited({
  method,
  seqid,
  peer,
  fromMs,
  toMs,
  outcome,
}: DrainReport["waitedFor"][number]): string {
  const waitedMs = (toMs ?? 0) - Math.max(0, fromMs);
  return `  ${showSeconds(waitedMs).padStart(7)}  ${method} #${seqid} from ${peer}: ${outcome}`;
}

/** The outcomes that occurred, in the order of the contract. */
export function showOutcomes(calls: Pick<DrainReport, (typeof outcomes)[number]>): string {
  const shown = outcomes
    .filter((outcome) => outcome === "completed" || calls[outcome] > 0)
    .map((outcome) => `${outcome} ${calls[outcome]}`);
  return shown.join(", ");
}

/** A time in seconds with one digit behind the point. */
export function showSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
