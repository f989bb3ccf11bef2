/** What the call desk needs of the worker pool. */
import type { Call } from "./call.ts";
import type { Outcome } from "./outcome.ts";

/** Where calls go to be run. */
export interface Lanes {
  /**
   * Takes calls in the order of their arrival. Those that find no room wait inside; `waiting` says how
   * many. A call leaves through the listener's `replied` or `died`.
   */
  submit(calls: readonly Call[], count: number): void;
  /** Calls that no lane had room for. */
  readonly waiting: number;
  /** Makes sure that a call which has not started never does. False when it has started. */
  withdraw(call: Call): boolean;
  /** Aborts the `signal` of a call that has started. */
  abort(call: Call, reason: string): void;
}

/** What becomes of calls that went to lanes. */
export interface LanesListener {
  /**
   * The worker has done with a call. `bytes[start, end)` is its reply, if it gets one; valid until
   * `repliesDrained`.
   */
  replied(call: Call, outcome: Outcome, bytes: Buffer, start: number, end: number): void;
  repliesDrained(): void;
  /** The call had started on a worker that died. */
  died(call: Call): void;
  /** No lane can run the call, and none will in time. */
  unservable(call: Call): void;
  /** A worker woke the main thread: whoever waits for something of it may look again. */
  progressed(): void;
  /** Room became free. */
  roomAgain(): void;
}
