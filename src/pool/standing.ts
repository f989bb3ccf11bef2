/**
 * Tells which workers stand still: inside one long synchronous call, with others queued behind it.
 * Looked at in intervals, because a worker that stands can't say so.
 */
import type { LaneWorker } from "./lane-worker.ts";

/** Looks, an interval apart, after which a worker that made no progress counts as standing. */
const looks = 3;

/** Looks at a worker once more. */
export function look(worker: LaneWorker): void {
  const { progress, queued } = worker.lane;
  const moved = queued === 0 || progress !== worker.seenProgress;
  worker.timesUnmoved = moved ? 0 : worker.timesUnmoved + 1;
  worker.seenProgress = progress;
}

/** Whether a worker stood still when it was last looked at, and has not moved since. */
export function isStanding(worker: LaneWorker): boolean {
  return worker.timesUnmoved >= looks && worker.lane.progress === worker.seenProgress;
}

/** Queued work, in microseconds, from which on a further worker is cheaper than waiting for this one. */
const spreadUs = 100;

/**
 * The worker for the next calls: the first whose queue is short, since one busy worker costs less
 * than two that are woken in turn, else the one with the shortest queue. Standing ones come last.
 */
export function chooseWorker(workers: readonly LaneWorker[]): LaneWorker | undefined {
  let best: LaneWorker | undefined;
  let bestUs = Number.POSITIVE_INFINITY;
  for (const worker of workers) {
    if (worker.state !== "ready") continue;
    const queuedUs = worker.lane.queued * worker.callCostUs;
    const standing = worker.timesUnmoved > 0 && isStanding(worker);
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
