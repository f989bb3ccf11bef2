/** A server's status as plain text. */
import type { StatusDocument } from "../admin/status.ts";
import { showOutcomes, showSeconds } from "../server/show-report.ts";

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
      (restarts === 0 ? "" : `, restarted ${restarts === 1 ? "once" : `${restarts} times`}`),
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

/** The phase with how long it lasts, and in a stop what is left of the grace period. */
export function showPhase({ phase }: StatusDocument): string {
  const since = `for ${showSeconds(phase.inPhaseMs)}`;
  const left = phase.deadlineInMs === undefined ? "" : `, at most ${showSeconds(phase.deadlineInMs)} left`;
  const reason = phase.reason === undefined ? "" : ` (${phase.reason})`;
  return `${phase.phase} ${since}${left}${reason}`;
}
