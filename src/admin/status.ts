/** The document of `/statusz`: the counters of `/metrics` and the report, as JSON. */
import type { CallTotals } from "../calls/call-ledger.ts";
import { latencyBucketsSeconds } from "../calls/latency-histogram.ts";
import type { OutcomeCounts } from "../calls/outcome.ts";
import { type MethodSnapshot, takeSnapshot } from "./snapshot.ts";
import {
  type AdminSource,
  ageBoundsMs,
  type ConnectionStatus,
  type DrainStatus,
  type InFlightStatus,
  type LaneStatus,
  type LimitStatus,
  type PhaseStatus,
} from "./source.ts";

/** One method in `/statusz`. */
export interface MethodStatus extends OutcomeCounts {
  /** Both are null for names that the IDL does not have. */
  readonly service: string | null;
  readonly method: string | null;
  readonly received: number;
  readonly owed: number;
  readonly latency: {
    readonly count: number;
    readonly sumMs: number;
    /** Calls per bucket of `latencyBucketsSeconds`, not cumulated; the last one is beyond all bounds. */
    readonly buckets: readonly number[];
  };
}

/** What `/statusz` answers. */
export interface StatusDocument {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly phase: PhaseStatus;
  readonly ready: boolean;
  /** Why it is not ready; null when it is. */
  readonly notReadyBecause: string | null;
  readonly live: boolean;
  readonly calls: CallTotals & { readonly running: number };
  readonly latencyBucketsSeconds: readonly number[];
  readonly methods: readonly MethodStatus[];
  readonly lanes: readonly LaneStatus[];
  readonly connections: ConnectionStatus;
  readonly limits: LimitStatus;
  /** The report of the last drain, or null. */
  readonly lastReport: unknown;
  /** How a takeover by a successor stands: its state, process id and, when it failed, why. Null without one. */
  readonly takeover: unknown;
}

/** Who may drain and undrain: anybody who can connect, whoever has the token, nobody. */
export type Controls = "open" | "token" | "off";

/** What a viewer of `/events` gets once a second: the document of `/statusz`, and what only people want to see. */
export interface EventDocument extends StatusDocument {
  /** ISO 8601. */
  readonly at: string;
  readonly inFlight: readonly InFlightStatus[];
  readonly ageBoundsMs: readonly number[];
  readonly drain: DrainStatus | null;
  readonly canUndrain: boolean;
  readonly controls: Controls;
  readonly mainThread: {
    /** The share of time that the event loop was busy since the last event, 0 to 1. */
    readonly utilisation: number;
    /** The memory of the whole process that is in RAM. */
    readonly residentBytes: number;
  };
}

/** Makes the document of an event. @param utilisation of the main thread, 0 to 1 */
export function eventOf(source: AdminSource, utilisation: number, controls: Controls): EventDocument {
  return {
    ...statusOf(source),
    at: new Date().toISOString(),
    inFlight: source.inFlight(),
    ageBoundsMs,
    drain: source.drain(),
    canUndrain: source.canUndrain(),
    controls,
    mainThread: { utilisation, residentBytes: process.memoryUsage.rss() },
  };
}

/** Makes the document from one consistent look at the server. */
export function statusOf(source: AdminSource): StatusDocument {
  const { phase, readiness, totals, running, methods, lanes, connections, limits } = takeSnapshot(source);
  return {
    name: source.name,
    version: source.version,
    node: process.version,
    pid: process.pid,
    startedAt: new Date(source.startedAtMs).toISOString(),
    phase,
    ready: readiness.ready,
    notReadyBecause: readiness.ready ? null : readiness.reason,
    live: source.live(),
    calls: { ...totals, running },
    latencyBucketsSeconds,
    methods: methods.map(methodStatusOf),
    lanes,
    connections,
    limits,
    lastReport: source.lastReport ?? null,
    takeover: source.takeover ?? null,
  };
}

function methodStatusOf({ method, received, owed, outcomes, latency }: MethodSnapshot): MethodStatus {
  return {
    service: method?.service ?? null,
    method: method?.name ?? null,
    received,
    owed,
    ...outcomes,
    latency: { count: latency.count, sumMs: latency.sumMs, buckets: [...latency.counts] },
  };
}
