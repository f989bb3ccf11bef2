/**
 * How many calls may be repeated: a share of the calls that are made, and some more each second, so that a fault of the
 * servers is not multiplied by their clients. After Finagle's RetryBudget.
 */
import type { Clock } from "../lifecycle/clock.ts";

export interface RetryBudgetOptions {
  /** Repeats per call, on the average. Default 0.2. */
  readonly share?: number;
  /** Repeats per second in any case. Default 10. */
  readonly perSecond?: number;
  /** What can be saved up at most, and what there is at first. Default 200. */
  readonly most?: number;
}

export class RetryBudget {
  readonly #clock: Clock;
  readonly #share: number;
  readonly #perSecond: number;
  readonly #most: number;
  #saved: number;
  #countedMs: number;

  constructor(clock: Clock, options: RetryBudgetOptions = {}) {
    this.#clock = clock;
    this.#share = options.share ?? 0.2;
    this.#perSecond = options.perSecond ?? 10;
    this.#most = options.most ?? 200;
    this.#saved = this.#most;
    this.#countedMs = clock.now();
  }

  /** A call is made. */
  deposit(): void {
    this.#saved = Math.min(this.#most, this.#saved + this.#share);
  }

  /** Takes one repeat. False: there is none left. */
  withdraw(): boolean {
    const nowMs = this.#clock.now();
    const earned = ((nowMs - this.#countedMs) * this.#perSecond) / 1000;
    this.#countedMs = nowMs;
    this.#saved = Math.min(this.#most, this.#saved + earned);
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}

/** How long to pause before attempt `round + 1` (rounds from 0): at random up to a limit that doubles, in ms. */
export function backoffMs(round: number, firstMs: number, mostMs: number, random: () => number): number {
  return random() * Math.min(mostMs, firstMs * 2 ** Math.min(round, 30));
}
