/**
 * When the main thread looks for replies without being woken.
 *
 * - *Watch:* right after calls were handed over, the main thread looks at every turn of its event loop instead of
 *   sleeping. Being woken costs both threads more than most calls do. A watch ends a moment after the last reply,
 *   and watches that find nothing (handlers that wait, or compute for long) are begun ever more rarely.
 * - *Poll:* a worker in a long turn has not announced its replies, and one that stands keeps others' calls from
 *   running. For as long as any worker has calls, both are seen to in intervals.
 */
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { LaneWorker } from "./lane-worker.ts";
import { isStanding } from "./standing.ts";

export interface ReplyWatchOptions {
  /** The workers of today: a replaced one stands in its predecessor's place. */
  readonly workers: readonly LaneWorker[];
  readonly clock: Clock;
  /** Whether a thread may look without sleeping: not with a single core, where it would be in the workers' way. */
  readonly mayWatch: boolean;
  /** A watch found replies. */
  readonly found: () => void;
  /** The poll has taken all replies. Returns whether something besides the workers' calls needs a further look. */
  readonly looked: () => boolean;
}

/** How long a watch goes on after the last reply, in ms: about what two wake-ups cost. */
const patienceMs = 0.05;
/** The most hand-overs that pass without a watch after one that found nothing. */
const longestPause = 256;
const shortestPollMs = 1;
const longestPollMs = 16;

export class ReplyWatch {
  readonly #options: ReplyWatchOptions;
  #watching = false;
  #endsAtMs = 0;
  #found = false;
  /** How many hand-overs pass before the next watch, and how many did after the last fruitless one. */
  #pause = 0;
  #lastPause = 0;
  #poll: Timer | undefined;
  #pollMs = shortestPollMs;

  constructor(options: ReplyWatchOptions) {
    this.#options = options;
  }

  /** Calls were handed over, and their workers woken. */
  handedOver(): void {
    if (this.#watching) this.#endsAtMs = this.#options.clock.now() + patienceMs;
    else if (this.#pause > 0) this.#pause--;
    else if (this.#options.mayWatch) this.#beginWatch();
  }

  /** There are calls in lanes: looks soon, and again until none are left. */
  pollSoon(): void {
    this.#pollMs = shortestPollMs;
    this.#armPoll();
  }

  stop(): void {
    this.#poll?.cancel();
  }

  #beginWatch(): void {
    this.#watching = true;
    this.#found = false;
    this.#endsAtMs = this.#options.clock.now() + patienceMs;
    this.#setWatched(true);
    this.#watch();
  }

  readonly #watch = (): void => {
    const { workers, clock } = this.#options;
    const nowMs = clock.now();
    if (this.#drain() > 0) {
      this.#found = true;
      this.#endsAtMs = nowMs + patienceMs;
      this.#options.found();
    }
    const expectsMore = workers.some((worker) => worker.lane.inFlight > 0 && !isStanding(worker, nowMs));
    if (expectsMore && nowMs < this.#endsAtMs) setImmediate(this.#watch);
    else this.#endWatch();
  };

  #endWatch(): void {
    this.#watching = false;
    this.#lastPause = this.#found ? 0 : Math.min(longestPause, 2 * this.#lastPause + 1);
    this.#pause = this.#lastPause;
    this.#setWatched(false);
    // What came before the workers knew that they must wake this thread again.
    if (this.#drain() > 0) this.#options.found();
  }

  #drain(): number {
    let replies = 0;
    for (const worker of this.#options.workers) if (worker.state !== "dead") replies += worker.drain();
    return replies;
  }

  #setWatched(watched: boolean): void {
    for (const { lane } of this.#options.workers) lane.watched = watched;
  }

  #armPoll(): void {
    if (this.#poll !== undefined) return;
    const { clock } = this.#options;
    this.#poll = clock.setTimer(clock.now() + this.#pollMs, () => {
      this.#poll = undefined;
      this.#look();
    });
  }

  #look(): void {
    const { workers } = this.#options;
    this.#drain();
    let busy = false;
    for (const { state, lane } of workers) {
      // A call in flight may be answered by a timer whose tick then goes on for long, before it is announced.
      if (state === "ready") busy ||= lane.inFlight > 0 || lane.queued > 0 || lane.awake;
    }
    const more = this.#options.looked();
    if (!busy && !more) return;
    this.#pollMs = Math.min(longestPollMs, this.#pollMs * 2);
    this.#armPoll();
  }
}
