/** What a drain waited for: the calls that were in flight when it began, and those that kept it later. */
import type { DrainPlan, WaitedCall } from "../admin/source.ts";
import type { Call } from "../calls/call.ts";
import type { CallLedger } from "../calls/call-ledger.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { StopPlan } from "../lifecycle/stop-plan.ts";

/** How many calls are kept: those that were waited for longest. */
export const mostWaitedCalls = 100;
/** A call that came in the drain has kept it only if it took so long, in ms. */
const worthTellingMs = 20;

/** Keeps the account of one drain. */
export class DrainTimeline {
  readonly #ledger: CallLedger;
  readonly #requestedAtMs: number;
  #drainingSinceMs = 0;
  #calls: WaitedCall[] = [];
  #count = 0;
  #restore: () => void = () => {};

  constructor(ledger: CallLedger, plan: StopPlan) {
    this.#ledger = ledger;
    this.#requestedAtMs = plan.requestedAtMs;
  }

  /** From now on calls are waited for. */
  begin(nowMs: number): void {
    this.#drainingSinceMs = nowMs;
    const other = this.#ledger.onSettled;
    this.#ledger.onSettled = (call, outcome, atMs) => {
      other?.(call, outcome, atMs);
      this.#settled(call, outcome, atMs);
    };
    this.#restore = () => {
      this.#ledger.onSettled = other;
    };
  }

  /** No call is waited for any more. */
  end(): void {
    this.#restore();
    this.#restore = () => {};
  }

  /** The calls that were waited for longest and have their outcome, longest first. */
  get waitedFor(): readonly WaitedCall[] {
    this.#keepLongest();
    return [...this.#calls];
  }

  /** How many more there were. */
  get more(): number {
    return this.#count - Math.min(this.#count, mostWaitedCalls);
  }

  /** A call that is still waited for, as it looks at this moment. */
  waiting(call: Call): WaitedCall {
    return this.#describe(call, null, null);
  }

  #settled(call: Call, outcome: Outcome, nowMs: number): void {
    const wasThere = call.receivedAtMs <= this.#drainingSinceMs;
    if (!wasThere && nowMs - call.receivedAtMs < worthTellingMs) return;
    this.#count++;
    this.#calls.push(this.#describe(call, outcome, nowMs));
    if (this.#calls.length > 4 * mostWaitedCalls) this.#keepLongest();
  }

  #keepLongest(): void {
    this.#calls.sort((a, b) => waitedMs(b) - waitedMs(a));
    if (this.#calls.length > mostWaitedCalls) this.#calls.length = mostWaitedCalls;
  }

  #describe(call: Call, outcome: Outcome | null, nowMs: number | null): WaitedCall {
    const { method, seqid, caller, lane, receivedAtMs } = call;
    return {
      // What a stranger calls a method is not repeated.
      method: method!.index < 0 ? "unknown" : `${method!.service}.${method!.name}`,
      seqid,
      peer: caller!.peer,
      worker: lane < 0 ? null : lane,
      fromMs: roundMs(receivedAtMs - this.#requestedAtMs),
      toMs: nowMs === null ? null : roundMs(nowMs - this.#requestedAtMs),
      outcome,
    };
  }
}

/** How long a drain had to wait for a call that has its outcome: what it ran before does not count. */
function waitedMs({ fromMs, toMs }: WaitedCall): number {
  return toMs! - Math.max(0, fromMs);
}

/** A stop's plan as distances from the request to stop. */
export function drainPlanOf(plan: StopPlan): DrainPlan {
  const from = plan.requestedAtMs;
  return {
    lameDuckMs: roundMs(plan.lameDuckEndsAtMs - from),
    callsEndMs: roundMs(plan.callsEndAtMs - from),
    lastCallMs: roundMs(plan.lastCallAtMs - from),
    graceMs: roundMs(plan.deadlineAtMs - from),
  };
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
