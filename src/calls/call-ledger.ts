/**
 * The account of every call: who was received, who has an outcome, who is still owed one.
 * The one place that counts; `/metrics`, `/statusz`, the page and the report read it.
 *
 * received = completed + failed + rejected + expired + orphaned + oneway + cut + owed, always.
 */
import { Call, type Caller } from "./call.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { Method } from "./method-table.ts";
import { type Outcome, type OutcomeCounts, outcomes, zeroOutcomes } from "./outcome.ts";

/** The counts of one method. */
export interface MethodCounts {
  received: number;
  readonly outcomes: OutcomeCounts;
  readonly latency: LatencyHistogram;
}

/** A consistent copy of the totals. */
export interface CallTotals extends OutcomeCounts {
  /** Whole messages with a readable name, CALL and ONEWAY, fb303's included; repeats by the client count again. */
  received: number;
  /** Received and without an outcome. */
  owed: number;
  /** Messages that were no readable call; outside the sum. */
  malformed: number;
  /** Of the orphaned: how many had started. */
  orphanedStarted: number;
}

/** Messages up to this size are bounded by the number of calls alone. */
const smallMessageBytes = 4096;
/** One that can be taken back, and one that is on its way to the worker. */
const copiesOfMessage = 2;

/** Counts calls and hands out their records. */
export class CallLedger {
  readonly #byMethod: MethodCounts[] = [];
  readonly #unknown: MethodCounts = createMethodCounts();
  readonly #totals: OutcomeCounts = zeroOutcomes();
  readonly #free: Call[] = [];
  #received = 0;
  #owed = 0;
  #serial = 0;
  #malformed = 0;
  #orphanedStarted = 0;
  /** Hears of every outcome while it is set: a drain keeps an account of what it waits for. */
  onSettled: ((call: Call, outcome: Outcome, nowMs: number) => void) | undefined;
  /** What the larger messages of calls that are not over yet take, their copies for the workers included, in bytes. */
  heldBytes = 0;
  /** Called when the last owed call got its outcome. */
  onIdle: () => void = () => {};

  /** Takes in a call. A method index below 0 stands for a name that nobody knows. */
  receive(caller: Caller, method: Method, seqid: number, nowMs: number): Call {
    const call = this.#free.pop() ?? new Call();
    call.stage = "waiting";
    call.caller = caller;
    call.method = method;
    call.seqid = seqid;
    call.replyForm = caller.replyForm;
    call.receivedAtMs = nowMs;
    call.deadlineAtMs = method.timeoutMs > 0 ? nowMs + method.timeoutMs : 0;
    call.serial = ++this.#serial;
    this.#received++;
    this.#owed++;
    this.#countsOf(method).received++;
    return call;
  }

  /** Counts a message that was no readable call. */
  malformed(): void {
    this.#malformed++;
  }

  /** Gives a call its outcome. The first sticks: later ones are ignored and return false. */
  settle(call: Call, outcome: Outcome, nowMs: number): boolean {
    if (call.stage === "settled" || call.stage === "free") return false;
    call.stage = "settled";
    this.#totals[outcome]++;
    const counts = this.#countsOf(call.method!);
    counts.outcomes[outcome]++;
    counts.latency.observe(nowMs - call.receivedAtMs);
    this.onSettled?.(call, outcome, nowMs);
    if (--this.#owed === 0) this.onIdle();
    return true;
  }

  /** Counts, of an orphaned call, that its handler had started. */
  orphanedAfterStart(): void {
    this.#orphanedStarted++;
  }

  /** Counts what a call's message takes until the call is released, unless it is small. */
  hold(call: Call, messageBytes: number): void {
    if (messageBytes <= smallMessageBytes) return;
    call.heldBytes = copiesOfMessage * messageBytes;
    this.heldBytes += call.heldBytes;
  }

  /** Gives the record of a settled call back. Nothing may refer to it any longer. */
  release(call: Call): void {
    call.stage = "free";
    call.caller = null;
    call.method = null;
    call.envelope = null;
    call.headerBytes = 0;
    this.heldBytes -= call.heldBytes;
    call.heldBytes = 0;
    call.bytes = null;
    call.reply = null;
    call.next = null;
    call.lane = -1;
    call.slot = -1;
    call.inLane = false;
    if (this.#free.length < 65_536) this.#free.push(call);
  }

  /** Calls without an outcome. */
  get owed(): number {
    return this.#owed;
  }

  get received(): number {
    return this.#received;
  }

  totals(): CallTotals {
    return {
      received: this.#received,
      ...this.#totals,
      owed: this.#owed,
      malformed: this.#malformed,
      orphanedStarted: this.#orphanedStarted,
    };
  }

  /** The counts of each method that was ever called, and of unknown names under undefined. */
  *methods(table: readonly Method[]): Generator<[Method | undefined, MethodCounts]> {
    for (const method of table) {
      const counts = this.#byMethod[method.index];
      if (counts !== undefined) yield [method, counts];
    }
    yield [undefined, this.#unknown];
  }

  #countsOf(method: Method): MethodCounts {
    if (method.index < 0) return this.#unknown;
    this.#byMethod[method.index] ??= createMethodCounts();
    return this.#byMethod[method.index]!;
  }
}

function createMethodCounts(): MethodCounts {
  return { received: 0, outcomes: zeroOutcomes(), latency: new LatencyHistogram() };
}

/** The sum over all outcomes. */
export function sumOfOutcomes(counts: OutcomeCounts): number {
  return outcomes.reduce((sum, outcome) => sum + counts[outcome], 0);
}
