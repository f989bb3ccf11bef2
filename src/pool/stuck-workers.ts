/**
 * Ends workers that do not come back to their event loop from a call whose deadline has passed: an endless loop, a
 * regular expression without end. Otherwise each would cost its lane for ever. What else had started there is cut.
 */
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { LaneWorker } from "./lane-worker.ts";

/** How long a worker may stay away from its event loop after a call's deadline, in ms. */
const patienceMs = 5_000;

export interface StuckWorkersOptions {
  readonly clock: Clock;
  /** Ends a worker and sees to its successor. */
  readonly end: (worker: LaneWorker) => void;
}

export class StuckWorkers {
  readonly #options: StuckWorkersOptions;
  readonly #suspects = new Map<LaneWorker, Timer>();
  #closed = false;

  constructor(options: StuckWorkersOptions) {
    this.#options = options;
  }

  /** The deadline of a call that it runs has passed: it has to show that it goes on. */
  suspect(worker: LaneWorker): void {
    if (this.#closed || worker.state !== "ready" || this.#suspects.has(worker)) return;
    this.#arm(worker);
    void worker.ping().then(() => this.#clear(worker));
  }

  /** In a stop workers are ended when their calls' time is over, by others. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#suspects.values()) timer.cancel();
    this.#suspects.clear();
  }

  #arm(worker: LaneWorker): void {
    const { clock, end } = this.#options;
    const timer = clock.setTimer(clock.now() + patienceMs, () => {
      if (isProtected(worker, clock.now())) this.#arm(worker);
      else {
        this.#suspects.delete(worker);
        if (worker.state === "ready") end(worker);
      }
    });
    this.#suspects.set(worker, timer);
  }

  #clear(worker: LaneWorker): void {
    this.#suspects.get(worker)?.cancel();
    this.#suspects.delete(worker);
  }
}

/** Whether a call on it may not be cut yet. */
function isProtected({ lane }: LaneWorker, nowMs: number): boolean {
  for (const call of lane.started()) if (lane.guardOf(call) > nowMs) return true;
  return false;
}
