/** Plain counters of a client: they cost a call next to nothing, and metrics are made of them at a scrape. */
import type { Clock } from "../lifecycle/clock.ts";
import type { ClientCall, Failure } from "./call.ts";
import type { ClientStats } from "./client-types.ts";
import type { CallOutcome, DispatchObserver } from "./dispatcher.ts";
import type { AwayReason, Endpoint } from "./endpoint.ts";

/** Upper limits of the latency histogram, in ms. */
export const latencyLimitsMs: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];

/** What is counted of one method's calls with one outcome. */
export interface MethodCounts {
  readonly method: string;
  readonly outcome: CallOutcome;
  count: number;
  sumMs: number;
  /** By limit, and one more for what is above them all. */
  readonly buckets: Float64Array;
}

export class ClientCounts implements DispatchObserver {
  readonly #clock: Clock;
  readonly #methods = new Map<string, Map<CallOutcome, MethodCounts>>();
  readonly repeats: Record<Failure["kind"], number> = { "not-started": 0, unknown: 0 };
  readonly awayCounts: Record<AwayReason, number> = { unreachable: 0, lost: 0, leaving: 0, silent: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  settled(call: ClientCall, outcome: CallOutcome): void {
    const counts = this.#countsOf(call.method.name, outcome);
    const tookMs = this.#clock.now() - call.startedMs;
    counts.count++;
    counts.sumMs += tookMs;
    let bucket = 0;
    while (bucket < latencyLimitsMs.length && tookMs > latencyLimitsMs[bucket]!) bucket++;
    counts.buckets[bucket]!++;
  }

  repeated(_call: ClientCall, kind: Failure["kind"]): void {
    this.repeats[kind]++;
  }

  away(_endpoint: Endpoint, reason: AwayReason): void {
    this.awayCounts[reason]++;
  }

  *all(): Generator<MethodCounts> {
    for (const outcomes of this.#methods.values()) yield* outcomes.values();
  }

  snapshot(inFlight: number, endpoints: Iterable<Endpoint>): ClientStats {
    const calls: Record<string, number> = {};
    for (const { outcome, count } of this.all()) calls[outcome] = (calls[outcome] ?? 0) + count;
    return {
      inFlight,
      calls,
      repeats: { ...this.repeats },
      away: { ...this.awayCounts },
      endpoints: [...endpoints].map((endpoint) => ({
        endpoint: endpoint.name,
        well: endpoint.isWell,
        inFlight: endpoint.inFlight,
        connections: endpoint.links.size,
      })),
    };
  }

  #countsOf(method: string, outcome: CallOutcome): MethodCounts {
    const known = this.#methods.get(method)?.get(outcome);
    if (known !== undefined) return known;
    const outcomes = this.#methods.get(method) ?? new Map<CallOutcome, MethodCounts>();
    this.#methods.set(method, outcomes);
    const buckets = new Float64Array(latencyLimitsMs.length + 1);
    const counts = { method, outcome, count: 0, sumMs: 0, buckets };
    outcomes.set(outcome, counts);
    return counts;
  }
}
