/** Which call's deadline comes first: a binary heap, and one timer for its top. */
import type { Call } from "./call.ts";

interface Entry {
  readonly atMs: number;
  readonly call: Call;
  /** Tells a call's uses apart: its object is reused. */
  readonly serial: number;
}

/** A timer of the clock that the desk uses. */
export interface DeadlineTimer {
  cancel(): void;
}

/** Sets a timer at an absolute time. */
export type SetTimer = (atMs: number, fire: () => void) => DeadlineTimer;

const smallestTidyAt = 1024;

/** Tells of each call whose deadline has passed. */
export class Deadlines {
  #heap: Entry[] = [];
  /** How large the heap may grow before calls are looked for that have their outcome. */
  #tidyAt = smallestTidyAt;
  readonly #setTimer: SetTimer;
  readonly #now: () => number;
  readonly #expire: (call: Call) => void;
  #timer: { readonly handle: DeadlineTimer; readonly atMs: number } | undefined;

  constructor(now: () => number, setTimer: SetTimer, expire: (call: Call) => void) {
    this.#now = now;
    this.#setTimer = setTimer;
    this.#expire = expire;
  }

  /** Watches a call's deadline. */
  add(call: Call): void {
    if (this.#heap.length >= this.#tidyAt) this.#tidy();
    this.#push({ atMs: call.deadlineAtMs, call, serial: call.serial });
    this.#arm();
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#now();
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= nowMs) {
      const { call, serial } = this.#pop();
      if (isOpen(call, serial)) this.#expire(call);
    }
    this.#arm();
  }

  /** Calls that it keeps; at most about twice as many as have no outcome. */
  get size(): number {
    return this.#heap.length;
  }

  /** With long deadlines and short calls nearly all entries are of calls that ended long ago. */
  #tidy(): void {
    const open = this.#heap.filter(({ call, serial }) => isOpen(call, serial));
    this.#heap = [];
    for (const entry of open) this.#push(entry);
    this.#tidyAt = Math.max(smallestTidyAt, 2 * open.length);
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || (this.#timer !== undefined && this.#timer.atMs <= first.atMs)) return;
    this.#timer?.handle.cancel();
    this.#timer = { handle: this.#setTimer(first.atMs, () => this.#fire()), atMs: first.atMs };
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.atMs <= entry.atMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++;
      if (heap[child]!.atMs >= last.atMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

/** Whether the record still serves the call that it was added for, and that has no outcome yet. */
function isOpen(call: Call, serial: number): boolean {
  return call.serial === serial && call.stage !== "settled" && call.stage !== "free";
}
