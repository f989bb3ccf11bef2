/**
 * Spreads calls over lanes, keeps those that find no room, wakes workers, and takes calls back from workers that
 * stand still. Which workers there are is decided elsewhere: see `lane-pool.ts`.
 */
import type { Call, Caller } from "../calls/call.ts";
import type { LanesListener } from "../calls/lanes.ts";
import type { Clock } from "../lifecycle/clock.ts";
import type { LaneWorker } from "./lane-worker.ts";
import { ReplyWatch } from "./reply-watch.ts";
import { chooseWorker, isStanding } from "./standing.ts";

export interface DispatcherOptions {
  /** The workers of today: a replaced one stands in its predecessor's place. */
  readonly workers: readonly LaneWorker[];
  readonly clock: Clock;
  readonly listener: LanesListener;
  /** See `ReplyWatchOptions`. */
  readonly mayWatch: boolean;
  /** The last published value, which calls that are handed over now must see. */
  readonly version: () => number;
  /** Whether a worker that is not ready will never be replaced by one that is. */
  readonly isFinal: () => boolean;
}

/** A worker that has been in a call for so long has come to its first line, in ms. */
const surelyBegunMs = 250;
/** Calls of one turn that are worth a wake-up before its end. */
const wakeAfterCalls = 16;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #workers: readonly LaneWorker[];
  readonly #watch: ReplyWatch;
  #backlog: Call[] = [];
  /** Callers were told to wait for room, and have not been told that there is some again. */
  #owesRoom = false;
  #wakeScheduled = false;
  /** Calls handed over since the last wake-up. */
  #unannounced = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#workers = options.workers;
    const { workers, clock, mayWatch } = options;
    this.#watch = new ReplyWatch({
      workers,
      clock,
      mayWatch,
      found: () => this.progressed(),
      looked: () => this.#looked(),
    });
  }

  /** Calls that no lane had room for. */
  get waiting(): number {
    return this.#backlog.length;
  }

  /** Those calls, in their order. */
  get waitingCalls(): readonly Call[] {
    return this.#backlog;
  }

  /** See `Lanes`. */
  submit(calls: readonly Call[], count: number): void {
    const waiting = this.#backlog.length;
    this.#spread(calls, count);
    this.#unannounced += count;
    if (this.#unannounced >= wakeAfterCalls) this.#wake();
    // The bytes that these calls came in are about to be used again.
    for (let at = waiting; at < this.#backlog.length; at++) ownBytes(this.#backlog[at]!);
  }

  /** Hands over calls that were taken back, before those that wait. */
  resubmit(calls: readonly Call[]): void {
    const all = [...calls, ...this.#backlog];
    this.#backlog = [];
    this.#spread(all, all.length);
  }

  /** There may be room again for what waits. */
  submitBacklog(): void {
    if (this.#backlog.length === 0) return;
    this.resubmit([]);
    this.#tellRoom();
  }

  /** Workers have gone on. */
  progressed(): void {
    this.submitBacklog();
    this.#options.listener.progressed();
  }

  /** Makes sure that a call which has not started never does. False when it has started. */
  withdraw(call: Call): boolean {
    const waiting = this.#backlog.indexOf(call);
    if (waiting >= 0) {
      this.#backlog.splice(waiting, 1);
      return true;
    }
    return this.#workers[call.lane]?.lane.takeOne(call) ?? false;
  }

  /** Takes back every call that has not started and refuses it. */
  refuseUnstarted(): void {
    for (const worker of this.#workers) {
      if (worker.state !== "dead") this.#backlog.push(...worker.lane.takeBack());
    }
    this.#refuseBacklog();
  }

  /** Refuses what waits if no worker is left to run it, and none will come. */
  refuseIfHopeless(): void {
    const ready = this.#workers.some((worker) => worker.state === "ready");
    if (this.#backlog.length > 0 && !ready && this.#options.isFinal()) this.#refuseBacklog();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Hands over what finds room; the rest waits. */
  #spread(calls: readonly Call[], count: number): void {
    let at = 0;
    while (at < count && this.#backlog.length === 0) at = this.#handGroup(calls, at, count);
    for (; at < count; at++) this.#wait(calls[at]!);
    this.#wakeSoon();
    this.#watch.pollSoon();
    this.refuseIfHopeless();
  }

  #wait(call: Call): void {
    this.#backlog.push(call);
    this.#owesRoom = true;
  }

  /**
   * Hands over the calls from `from` on that have one caller. What finds no room goes to the backlog.
   * Returns where the next caller's calls begin.
   */
  #handGroup(calls: readonly Call[], from: number, count: number): number {
    const caller = calls[from]!.caller!;
    const version = this.#options.version();
    let to = from + 1;
    while (to < count && calls[to]!.caller === caller) to++;
    let at = from;
    while (at < to) {
      const bound = this.#laneOfOneway(caller);
      const worker = bound ?? chooseWorker(this.#workers, this.#options.clock.now());
      let next = worker?.lane.hand(calls, at, to, version) ?? at;
      if (next === at && bound === undefined) next = this.#handAnywhere(calls, at, to, version);
      if (next === at) break;
      at = next;
    }
    for (; at < to; at++) this.#wait(calls[at]!);
    return to;
  }

  /** The best worker had no room: calls that wait for something keep their slots. Another one may have some. */
  #handAnywhere(calls: readonly Call[], from: number, to: number, version: number): number {
    for (const worker of this.#workers) {
      if (worker.state !== "ready") continue;
      const next = worker.lane.hand(calls, from, to, version);
      if (next > from) return next;
    }
    return from;
  }

  /** The lane that this caller's calls are bound to, because a oneway before them has not started there. */
  #laneOfOneway(caller: Caller): LaneWorker | undefined {
    const { onewayLane } = caller;
    if (onewayLane === null) return undefined;
    const worker = this.#workers[onewayLane.index]!;
    // A lane that takes no more calls, or was replaced, has given back what it had not started.
    const bound = worker.lane === onewayLane && worker.state === "ready";
    if (bound && !worker.lane.hasPassed(caller.onewayPosition)) return worker;
    caller.onewayLane = null;
    return undefined;
  }

  /** However the backlog was emptied: whoever waits for room has to hear of it. */
  #tellRoom(): void {
    if (!this.#owesRoom || this.#backlog.length > 0) return;
    this.#owesRoom = false;
    this.#options.listener.roomAgain();
  }

  #refuseBacklog(): void {
    const waiting = this.#backlog;
    this.#backlog = [];
    for (const call of waiting) this.#options.listener.unservable(call);
  }

  /**
   * One wake-up per lane and turn of the event loop, at its end, when everything that was read in it has been handed
   * over; in a long turn earlier, so that workers and main thread work side by side.
   */
  #wakeSoon(): void {
    if (this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    setImmediate(() => {
      this.#wakeScheduled = false;
      this.#wake();
      this.#watch.handedOver();
    });
  }

  #wake(): void {
    this.#unannounced = 0;
    for (const worker of this.#workers) if (worker.lane.queued > 0) worker.lane.wake();
  }

  #looked(): boolean {
    this.submitBacklog();
    this.#relieveStanding();
    this.#tellRoom();
    return this.#backlog.length > 0;
  }

  #relieveStanding(): void {
    const { clock, version } = this.#options;
    const nowMs = clock.now();
    const moving = this.#workers.some((worker) => worker.state === "ready" && !isStanding(worker, nowMs));
    if (!moving) return;
    for (const worker of this.#workers) {
      if (worker.state !== "ready" || !isStanding(worker, nowMs)) continue;
      // A thread can be interrupted between claiming a oneway and running it: what its caller sent later must not pass.
      const surelyBegun = nowMs - worker.movedAtMs >= surelyBegunMs;
      const calls = worker.lane.takeBack(surelyBegun ? null : worker.lane.onewayCaller);
      // It went on while its calls were taken: they stay behind the one that it has just claimed.
      const stay =
        worker.lane.progress === worker.seenProgress
          ? 0
          : worker.lane.hand(calls, 0, calls.length, version());
      if (stay < calls.length) this.resubmit(calls.slice(stay));
      else if (stay > 0) this.#wakeSoon();
    }
  }
}

/** Gives a call a copy of its bytes. */
function ownBytes(call: Call): void {
  if (call.bytes === null) return;
  call.bytes = Buffer.from(call.bytes.subarray(call.start, call.end));
  call.bodyStart -= call.start;
  call.end -= call.start;
  call.start = 0;
}
