/** Counts commits: how many posts went together, and how long they took. */
import type { CommitStats } from "./store.ts";

export class CommitTally {
  #commits = 0;
  #posts = 0;
  #largest = 0;
  #totalMs = 0;
  #longestMs = 0;

  /** One transaction with so many posts, from `startMs` (on `performance.now()`) until now. */
  add(posts: number, startMs: number): void {
    const ms = performance.now() - startMs;
    this.#commits++;
    this.#posts += posts;
    this.#totalMs += ms;
    if (posts > this.#largest) this.#largest = posts;
    if (ms > this.#longestMs) this.#longestMs = ms;
  }

  /** For the log. */
  get summary(): Record<string, number> {
    const { commits, posts, largest, totalMs, longestMs } = this.stats;
    const round = (value: number): number => Math.round(value * 10) / 10;
    const mean = (sum: number): number => (commits === 0 ? 0 : round(sum / commits));
    return {
      commits,
      posts,
      meanPosts: mean(posts),
      largest,
      meanMs: mean(totalMs),
      longestMs: round(longestMs),
    };
  }

  get stats(): CommitStats {
    return {
      commits: this.#commits,
      posts: this.#posts,
      largest: this.#largest,
      totalMs: this.#totalMs,
      longestMs: this.#longestMs,
    };
  }
}
