/** A server's status as plain text. */
import type { StatusDocument } from "../admin/status.ts";
import type { DrainReport } from "../server/report.ts";

/** In the order of the contract. */
const outcomes = ["completed", "failed", "rejected", "expired", "orphaned", "oneway", "cut"] as const;
/** Calls that a report on a terminal names. */
const mostShownCalls = 10;

/** All that is known, a line per matter. */
export function showStatus(status: StatusDocument): string {
  const { name, version, pid, ready, notReadyBecause, calls, lanes, connections } = status;
  const byProtocol = Object.entries(connections.byProtocol)
    .filter(([, count]) => count > 0)
    .map(([protocol, count]) => `${protocol} ${count}`);
  const workers = lanes.map(
    ({ index, state, inFlight, queued, utilisation, restarts }) =>
      `  worker ${index}  ${state.padEnd(8)}  in flight ${inFlight}, queued ${queued}` +
      (utilisation === undefined ? "" : `, busy ${Math.round(utilisation * 100)} %`) +
      (restarts === 0 ? "" : `, restarted ${restarts} times`),
  );
  return [
    `${name} ${version}, process ${pid}`,
    `phase        ${showPhase(status)}`,
    `ready        ${ready ? "yes" : `no: ${notReadyBecause}`}`,
    `in flight    owed ${calls.owed}, running ${calls.running}`,
    `calls        received ${calls.received}: ${showOutcomes(calls)}${calls.malformed === 0 ? "" : `; malformed ${calls.malformed}`}`,
    `connections  open ${connections.open} of ${connections.accepted} accepted${byProtocol.length === 0 ? "" : ` (${byProtocol.join(", ")})`}`,
    `workers      ${lanes.filter(({ state }) => state === "ready").length} of ${lanes.length} ready`,
    ...workers,
    "",
  ].join("\n");
}

/** One line for following a drain. */
export function showProgress(status: StatusDocument): string {
  const { calls, connections } = status;
  return `${showPhase(status)} · owed ${calls.owed}, running ${calls.running} · connections ${connections.open}`;
}

/** The report of a drain. */
export function showReport(report: DrainReport): string {
  const { outcome, reason, drainMs, exitCode, received, owed, waitedFor, moreWaitedFor } = report;
  const phases = Object.entries(report.phases)
    .filter(([phase, ms]) => ms > 0 && phase !== "starting" && phase !== "serving")
    .map(([phase, ms]) => `${phase} ${showSeconds(ms)}`);
  const shown = waitedFor.slice(0, mostShownCalls).map(showWaited);
  const more = moreWaitedFor + waitedFor.length - shown.length;
  return [
    `${outcome} after ${showSeconds(drainMs)} (${reason}), exit code ${exitCode}`,
    `calls        received ${received}: ${showOutcomes(report)}${owed === 0 ? "" : `; no outcome ${owed}`}`,
    `phases       ${phases.join(", ")}`,
    ...(shown.length === 0 ? [] : ["waited for", ...shown]),
    ...(more === 0 ? [] : [`  and ${more} more, for which it waited less long`]),
    ...report.failures.map(({ part, error }) => `failed       ${part}: ${error}`),
    "",
  ].join("\n");
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

/** The phase with how long it lasts, and in a stop what is left of the grace period. */
export function showPhase({ phase }: StatusDocument): string {
  const since = `for ${showSeconds(phase.inPhaseMs)}`;
  const left = phase.deadlineInMs === undefined ? "" : `, at most ${showSeconds(phase.deadlineInMs)} left`;
  const reason = phase.reason === undefined ? "" : ` (${phase.reason})`;
  return `${phase.phase} ${since}${left}${reason}`;
}

/** The outcomes that occurred, in the order of the contract. */
function showOutcomes(calls: Pick<StatusDocument["calls"], (typeof outcomes)[number]>): string {
  const shown = outcomes
    .filter((outcome) => outcome === "completed" || calls[outcome] > 0)
    .map((outcome) => `${outcome} ${calls[outcome]}`);
  return shown.join(", ");
}

function showSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
