/**
 * The deadlines of calls in flight. Calls with the same time limit expire in the order in which they were made, so each
 * limit has one list, and all lists together one timer, which is set anew only when it has fired.
 */
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { ClientCall } from "./call.ts";

interface Queue {
  first: ClientCall | undefined;
  last: ClientCall | undefined;
}

/** Lists that are kept though they are empty: those of the limits that most calls have. */
const keptQueues = 16;

export class Deadlines {
  readonly #clock: Clock;
  readonly #expire: (call: ClientCall) => void;
  readonly #queues = new Map<number, Queue>();
  #timer: Timer | undefined;
  #timerAtMs = 0;

  constructor(clock: Clock, expire: (call: ClientCall) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  add(call: ClientCall): void {
    let queue = this.#queues.get(call.timeoutMs);
    if (queue === undefined) {
      queue = { first: undefined, last: undefined };
      this.#queues.set(call.timeoutMs, queue);
    }
    call.before = queue.last;
    if (queue.last === undefined) queue.first = call;
    else queue.last.after = call;
    queue.last = call;
    if (this.#timer === undefined || call.deadlineMs < this.#timerAtMs) this.#arm(call.deadlineMs);
  }

  remove(call: ClientCall): void {
    const queue = this.#queues.get(call.timeoutMs)!;
    if (call.before === undefined) queue.first = call.after;
    else call.before.after = call.after;
    if (call.after === undefined) queue.last = call.before;
    else call.after.before = call.before;
    call.before = undefined;
    call.after = undefined;
    // Callers may give each call a limit of its own.
    if (queue.first === undefined && this.#queues.size > keptQueues) this.#queues.delete(call.timeoutMs);
  }

  /** All calls that were added and not removed. */
  all(): ClientCall[] {
    const calls: ClientCall[] = [];
    for (const { first } of this.#queues.values()) {
      for (let call = first; call !== undefined; call = call.after) calls.push(call);
    }
    return calls;
  }

  /** Forgets the timer; no call may be in flight. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(atMs: number): void {
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.setTimer(atMs, () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [timeoutMs, queue] of this.#queues) {
      while (queue.first !== undefined && queue.first.deadlineMs <= nowMs) this.#expire(queue.first);
      if (queue.first === undefined) this.#queues.delete(timeoutMs);
      else nextMs = Math.min(nextMs, queue.first.deadlineMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
  }
}
