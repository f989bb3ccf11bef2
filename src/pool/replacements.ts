/**
 * Replaces workers: those that died, that have grown too large, that do not come back from a call. One that could not
 * start is tried again later each time.
 */
import type { Call } from "../calls/call.ts";
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { LaneWorker } from "./lane-worker.ts";
import type { PoolLog } from "./pool-log.ts";
import { StuckWorkers } from "./stuck-workers.ts";

export interface ReplacementsOptions {
  readonly workers: readonly LaneWorker[];
  /** The memory above which a worker is drained and replaced, in bytes. Undefined: no limit. */
  readonly workerMemoryBytes: number | undefined;
  /** How long the calls of a worker that is recycled may take, in ms. */
  readonly callPatienceMs: number;
  readonly clock: Clock;
  readonly log: PoolLog;
  /** Starts a worker in the place of the one at `index`. */
  readonly start: (index: number) => void;
  /** Finds other workers for calls that have not started. */
  readonly resubmit: (calls: readonly Call[]) => void;
}

const firstBackoffMs = 100;
const longestBackoffMs = 5_000;
const memoryCheckMs = 1_000;
/** How long a thread with nothing to do may take to leave, in ms. */
const terminationMs = 250;

export class Replacements {
  readonly #options: ReplacementsOptions;
  /** How often each worker was replaced, by its index. */
  readonly counts: number[] = [];
  /** Workers that were above `workerMemory`. */
  recycled = 0;
  readonly #backoffMs: number[] = [];
  readonly #respawns = new Set<Timer>();
  readonly #stuck: StuckWorkers;
  #memoryTimer: Timer | undefined;
  #stopped = false;

  constructor(count: number, options: ReplacementsOptions) {
    this.#options = options;
    this.#stuck = new StuckWorkers({
      clock: options.clock,
      end: (worker) => void this.#endStuck(worker),
    });
    for (let index = 0; index < count; index++) {
      this.counts.push(0);
      this.#backoffMs.push(firstBackoffMs);
    }
  }

  /** Whether workers that end now end in a stop. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Begins to look at the workers' memory. */
  watchMemory(): void {
    const { clock, workers, workerMemoryBytes } = this.#options;
    if (workerMemoryBytes === undefined) return;
    for (const worker of workers) {
      if (worker.state === "ready" && worker.lane.memoryBytes > workerMemoryBytes) void this.#recycle(worker);
    }
    this.#memoryTimer = clock.setTimer(clock.now() + memoryCheckMs, () => this.watchMemory());
  }

  /** The deadline of a call that it runs has passed: it has to show that it goes on. */
  suspect(worker: LaneWorker): void {
    this.#stuck.suspect(worker);
  }

  /** @param wasReady whether it had started: then its successor can, too, and need not wait */
  replace(index: number, wasReady: boolean): void {
    const delayMs = wasReady ? 0 : this.#backoffMs[index]!;
    this.#backoffMs[index] = wasReady ? firstBackoffMs : Math.min(longestBackoffMs, delayMs * 2);
    const { clock, start } = this.#options;
    const timer = clock.setTimer(clock.now() + delayMs, () => {
      this.#respawns.delete(timer);
      this.counts[index]!++;
      start(index);
    });
    this.#respawns.add(timer);
  }

  /** Replaces none from now on. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#respawns) timer.cancel();
    this.#respawns.clear();
    this.#memoryTimer?.cancel();
    this.#stuck.close();
  }

  async #recycle(worker: LaneWorker): Promise<void> {
    const { clock, callPatienceMs, log } = this.#options;
    log("warn", "a worker is above workerMemory; it is drained and replaced", {
      worker: worker.index,
      memoryBytes: worker.lane.memoryBytes,
    });
    this.recycled++;
    const emptied = this.#retire(worker);
    // A call that never ends must not cost the lane for ever; one that is in the way is cut, and its caller told.
    const timer = clock.setTimer(clock.now() + callPatienceMs, () => void worker.terminate(terminationMs));
    await emptied;
    const failures = [...(await worker.ask("flush")), ...(await worker.ask("close"))];
    timer.cancel();
    for (const { service, what, message } of failures) {
      log("error", "a worker could not be closed", { worker: worker.index, service, what, error: message });
    }
    await worker.terminate(terminationMs);
    if (!this.#stopped) this.replace(worker.index, true);
  }

  async #endStuck(worker: LaneWorker): Promise<void> {
    const { log } = this.#options;
    const fields = { worker: worker.index };
    log("error", "a worker did not come back from a call whose deadline passed; it is ended", fields);
    void this.#retire(worker);
    const gone = await worker.terminate(terminationMs);
    if (!gone) log("error", "a worker sits in native code and can't be ended; it is lost", fields);
    else if (!this.#stopped) this.replace(worker.index, true);
  }

  /** Gives it no more calls; others get those that it has not started. */
  #retire(worker: LaneWorker): Promise<void> {
    const emptied = worker.retire();
    this.#options.resubmit(worker.lane.takeBack());
    return emptied;
  }
}
