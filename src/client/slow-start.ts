/**
 * How many calls a server may have at once that has just come back: most have just started, and run code that is not
 * compiled yet on connections that are not made yet, to a database, say. One at first, and one more with each answer,
 * which is twice as many with each round; all of them after a time.
 */
import type { Clock } from "../lifecycle/clock.ts";

export class SlowStart {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  #allowed = Number.POSITIVE_INFINITY;
  #untilMs = 0;

  /** @param lastsMs after this time it may have all, in ms; 0: at once */
  constructor(clock: Clock, lastsMs: number) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
  }

  begin(): void {
    this.#allowed = 1;
    this.#untilMs = this.#clock.now() + this.#lastsMs;
  }

  answered(): void {
    this.#allowed++;
  }

  /** Whether it may have one more beside those in flight. */
  admits(inFlight: number): boolean {
    if (inFlight < this.#allowed) return true;
    if (this.#clock.now() < this.#untilMs) return false;
    this.#allowed = Number.POSITIVE_INFINITY;
    return true;
  }
}
