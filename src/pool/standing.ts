/**
 * Tells which workers stand still: inside one long synchronous call, with others queued behind it.
 * Looked at in intervals, because a worker that stands can't say so.
 */
import type { LaneWorker } from "./lane-worker.ts";

/** How long a worker may make no progress, with calls to be made, before it counts as standing, in ms. */
const standingAfterMs = 2;
/** The same for one whose calls have been long of late: some of them, but no more than others can wait. */
const longCalls = 3;
const standingAfterMostMs = 10;

/** Whether a worker stands still. To be asked before a call is handed over, so that its wait is counted from then. */
export function isStanding(worker: LaneWorker, nowMs: number): boolean {
  const { progress, queued, inFlight } = worker.lane;
  if (queued === 0 || inFlight === 0 || progress !== worker.seenProgress) {
    worker.seenProgress = progress;
    worker.movedAtMs = nowMs;
  }
  const usualMs = Math.min(standingAfterMostMs, (longCalls * worker.callCostUs) / 1000);
  return nowMs - worker.movedAtMs >= Math.max(standingAfterMs, usualMs);
}

/** Queued work, in microseconds, from which on a further worker is cheaper than waiting for this one. */
const spreadUs = 200;

/**
 * The worker for the next calls: the first whose queue is short, since one busy worker costs less
 * than two that are woken in turn, else the one with the shortest queue. Standing ones come last.
 */
export function chooseWorker(workers: readonly LaneWorker[], nowMs: number): LaneWorker | undefined {
  let best: LaneWorker | undefined;
  let bestUs = Number.POSITIVE_INFINITY;
  for (const worker of workers) {
    if (worker.state !== "ready") continue;
    const queuedUs = worker.lane.queued * worker.callCostUs;
    const standing = isStanding(worker, nowMs);
    if (queuedUs < spreadUs && !standing) return worker;
    const cost = standing ? queuedUs + standingUs : queuedUs;
    if (cost < bestUs) {
      best = worker;
      bestUs = cost;
    }
  }
  return best;
}

/** What a standing worker's calls are thought to wait, in microseconds: more than any queue. */
const standingUs = 1e9;
