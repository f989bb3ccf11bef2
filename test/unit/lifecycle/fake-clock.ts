/** A clock that a test moves by hand. Timers fire in order of time, then in the order in which they were set. */

import type { Clock, Timer } from "../../../src/lifecycle/clock.ts";

interface PendingTimer {
  readonly atMs: number;
  readonly fire: () => void;
}

export class FakeClock implements Clock {
  readonly #pending: PendingTimer[] = [];
  #nowMs: number;

  /** Starts at an odd time on purpose, so that nobody takes durations for times. */
  constructor(nowMs = 1_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(atMs: number, fire: () => void): Timer {
    const timer: PendingTimer = { atMs, fire };
    this.#pending.push(timer);
    return { cancel: () => this.#drop(timer) };
  }

  /** How many timers are pending; 0 means that nothing keeps the process alive. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Lets time pass; each timer sees the time that it was set to. */
  advance(ms: number): void {
    this.advanceTo(this.#nowMs + ms);
  }

  /** Lets time pass up to `atMs`, timers that are set meanwhile included. */
  advanceTo(atMs: number): void {
    for (let next = this.#nextUntil(atMs); next !== undefined; next = this.#nextUntil(atMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#fire(next);
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Lets time pass as a blocked event loop does: all timers that became due fire late, at the end. */
  stall(ms: number): void {
    this.#nowMs += ms;
    this.advanceTo(this.#nowMs);
  }

  #nextUntil(atMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#pending) {
      if (timer.atMs <= atMs && timer.atMs < (next?.atMs ?? Number.POSITIVE_INFINITY)) next = timer;
    }
    return next;
  }

  #fire(timer: PendingTimer): void {
    this.#drop(timer);
    timer.fire();
  }

  #drop(timer: PendingTimer): void {
    const index = this.#pending.indexOf(timer);
    if (index >= 0) this.#pending.splice(index, 1);
  }
}
