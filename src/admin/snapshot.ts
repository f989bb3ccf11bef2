/** One consistent look at a server: what `/metrics`, `/statusz` and fb303 show is taken from one of these. */
import { type CallTotals, sumOfOutcomes } from "../calls/call-ledger.ts";
import type { OutcomeCounts } from "../calls/outcome.ts";
import type {
  AdminSource,
  ConnectionStatus,
  LaneStatus,
  LimitStatus,
  PhaseStatus,
  Readiness,
} from "./source.ts";

/** The counts of one method at one moment. */
export interface MethodSnapshot {
  /** Undefined for names that the IDL does not have. */
  readonly method: { readonly service: string; readonly name: string } | undefined;
  readonly received: number;
  /** Received and without an outcome. */
  readonly owed: number;
  readonly outcomes: OutcomeCounts;
  readonly latency: { readonly counts: Float64Array; readonly sumMs: number; readonly count: number };
}

/** A server at one moment. */
export interface Snapshot {
  readonly phase: PhaseStatus;
  readonly readiness: Readiness;
  readonly totals: CallTotals;
  /** Calls whose handler is unsettled. */
  readonly running: number;
  readonly methods: readonly MethodSnapshot[];
  readonly lanes: readonly LaneStatus[];
  readonly connections: ConnectionStatus;
  readonly limits: LimitStatus;
}

/** Copies everything in one turn of the event loop, so that no call comes or goes in between. */
export function takeSnapshot(source: AdminSource): Snapshot {
  return {
    phase: source.phase(),
    readiness: source.ready(),
    totals: source.totals(),
    running: source.running(),
    methods: copyMethods(source),
    lanes: source.lanes(),
    connections: source.connections(),
    limits: source.limits(),
  };
}

function copyMethods(source: AdminSource): MethodSnapshot[] {
  const copies: MethodSnapshot[] = [];
  for (const [method, counts] of source.methods()) {
    if (counts.received === 0) continue;
    const { latency } = counts;
    copies.push({
      method: method && { service: method.service, name: method.name },
      received: counts.received,
      owed: counts.received - sumOfOutcomes(counts.outcomes),
      outcomes: { ...counts.outcomes },
      latency: { counts: latency.counts.slice(), sumMs: latency.sumMs, count: latency.count },
    });
  }
  return copies;
}
