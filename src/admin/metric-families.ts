/** Which metrics a server has, and how each is read off a snapshot. Documented in docs/metrics.md. */
import { latencyBucketsSeconds } from "../calls/latency-histogram.ts";
import { type Outcome, outcomes } from "../calls/outcome.ts";
import { PHASES } from "../lifecycle/phases.ts";
import type { EventLoopDelay } from "./event-loop-delay.ts";
import type { MethodSnapshot, Snapshot } from "./snapshot.ts";
import { type LaneStatus, laneStates } from "./source.ts";

/** What one scrape goes by. */
export interface ScrapeFacts extends Snapshot {
  readonly name: string;
  readonly version: string;
  readonly eventLoopDelay: EventLoopDelay;
}

/** A sample as prom-client's registry prints it. */
export interface Sample {
  readonly value: number;
  /** The family's name unless said otherwise. */
  readonly metricName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels that prom-client prints once per object: for the samples of one histogram. */
  readonly sharedLabels?: Readonly<Record<string, string>>;
}

/** Metrics of one name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  samples(facts: ScrapeFacts): Sample[];
}

const LATENCY = "thrift_server_latency_seconds";

/** How an outcome shows in Baseplate's labels. A declared exception is an answer, and counts as a success. */
const baseplateLabels: Readonly<Record<Outcome, { success: "true" | "false"; exception: string }>> = {
  completed: { success: "true", exception: "" },
  oneway: { success: "true", exception: "" },
  failed: { success: "false", exception: "TApplicationException" },
  rejected: { success: "false", exception: "TApplicationException" },
  expired: { success: "false", exception: "TApplicationException" },
  cut: { success: "false", exception: "TApplicationException" },
  orphaned: { success: "false", exception: "TTransportException" },
};

/** Every metric but those of the process, in the order of the page. */
export const families: readonly Family[] = [
  {
    name: "sluice_info",
    help: "Always 1; the labels say what is served and on what.",
    type: "gauge",
    samples: ({ name, version }) => [{ value: 1, labels: { name, version, node: process.version } }],
  },
  {
    name: "sluice_phase",
    help: "1 for the phase of the lifecycle that the server is in, 0 for the others.",
    type: "gauge",
    samples: ({ phase }) =>
      PHASES.map((name) => ({ value: Number(name === phase.phase), labels: { phase: name } })),
  },
  gauge("sluice_ready", "1 when new calls should be sent here, as /readyz says.", ({ readiness }) =>
    Number(readiness.ready),
  ),
  counter(
    "sluice_calls_received_total",
    "Calls received. Always the sum of sluice_calls_total over all outcomes and sluice_calls_owed.",
    ({ totals }) => totals.received,
  ),
  {
    name: "sluice_calls_total",
    help: "Calls by outcome; every call gets exactly one.",
    type: "counter",
    samples: ({ totals }) => outcomes.map((outcome) => ({ value: totals[outcome], labels: { outcome } })),
  },
  gauge("sluice_calls_owed", "Calls received that have no outcome yet.", ({ totals }) => totals.owed),
  gauge("sluice_calls_running", "Calls whose handler is unsettled, expired ones included.", (f) => f.running),
  counter(
    "sluice_calls_malformed_total",
    "Messages that were no readable call; not in sluice_calls_received_total.",
    ({ totals }) => totals.malformed,
  ),
  counter(
    "sluice_calls_orphaned_started_total",
    "Of the calls with outcome orphaned, those whose handler had started.",
    ({ totals }) => totals.orphanedStarted,
  ),
  {
    name: "thrift_server_requests_total",
    help: "Calls with an outcome by method; a declared exception is a success.",
    type: "counter",
    samples: ({ methods }) => methods.flatMap(requestSamples),
  },
  {
    name: LATENCY,
    help: "From a call's last byte read to its outcome, by method.",
    type: "histogram",
    samples: ({ methods }) => methods.filter(({ latency }) => latency.count > 0).flatMap(latencySamples),
  },
  {
    name: "thrift_server_active_requests",
    help: "Calls received that have no outcome yet, by method.",
    type: "gauge",
    samples: ({ methods }) => methods.map((of) => ({ value: of.owed, labels: methodLabels(of) })),
  },
  {
    name: "sluice_connections",
    help: "Open Thrift connections by protocol; unknown until a first message came.",
    type: "gauge",
    samples: ({ connections: { open, byProtocol } }) => {
      const known = Object.values(byProtocol).reduce((sum, count) => sum + count, 0);
      return [...countsBy("protocol", byProtocol), { value: open - known, labels: { protocol: "unknown" } }];
    },
  },
  counter(
    "sluice_connections_accepted_total",
    "Thrift connections accepted.",
    ({ connections }) => connections.accepted,
  ),
  {
    name: "sluice_connections_closed_total",
    help: "Thrift connections closed, by why.",
    type: "counter",
    samples: ({ connections }) => countsBy("kind", connections.closedByKind),
  },
  {
    name: "sluice_limit_hits_total",
    help: "How often a limit refused, closed or paused something, by its option.",
    type: "counter",
    samples: ({ limits }) => countsBy("limit", limits.hits),
  },
  {
    name: "sluice_malformed_messages_total",
    help: "Messages that were no readable call, by what was wrong.",
    type: "counter",
    samples: ({ limits }) => countsBy("kind", limits.malformed),
  },
  {
    name: "sluice_buffered_bytes",
    help: "What connections keep unread and unwritten, and what messages of calls in flight take.",
    type: "gauge",
    samples: ({ limits }) => [
      { value: limits.connectionBytes, labels: { of: "connections" } },
      { value: limits.callBytes, labels: { of: "calls" } },
    ],
  },
  {
    name: "sluice_lanes",
    help: "Lanes by state; standing ones have a worker in a long synchronous handler.",
    type: "gauge",
    samples: ({ lanes }) =>
      laneStates.map((state) => ({
        value: lanes.filter((lane) => lane.state === state).length,
        labels: { state },
      })),
  },
  counter("sluice_lane_restarts_total", "Workers replaced.", ({ lanes }) =>
    lanes.reduce((sum, lane) => sum + lane.restarts, 0),
  ),
  byLane(
    "sluice_lane_utilisation_ratio",
    "The share of time that a worker's event loop was busy lately, 0 to 1.",
    ({ utilisation }) => utilisation,
  ),
  byLane(
    "sluice_lane_memory_bytes",
    "What a worker's heap and buffers take.",
    ({ memoryBytes }) => memoryBytes,
  ),
  byLane(
    "sluice_lane_queued",
    "Calls that a worker has been handed and has not come to.",
    ({ queued }) => queued,
  ),
  {
    name: "sluice_stop_deadline_seconds",
    help: "How long until the deadline of the stop in progress; absent when there is none.",
    type: "gauge",
    samples: ({ phase: { deadlineInMs } }) =>
      deadlineInMs === undefined ? [] : [{ value: deadlineInMs / 1000 }],
  },
  {
    name: "sluice_event_loop_delay_seconds",
    help: "How late the main thread's event loop was since the last scrape.",
    type: "gauge",
    samples: ({ eventLoopDelay }) =>
      (["p50", "p99", "max"] as const).map((stat) => ({ value: eventLoopDelay[stat], labels: { stat } })),
  },
];

function gauge(name: string, help: string, read: (facts: ScrapeFacts) => number): Family {
  return { name, help, type: "gauge", samples: (facts) => [{ value: read(facts) }] };
}

function counter(name: string, help: string, read: (facts: ScrapeFacts) => number): Family {
  return { name, help, type: "counter", samples: (facts) => [{ value: read(facts) }] };
}

/** A gauge per lane; of a lane without a measurement there is no sample. */
function byLane(name: string, help: string, read: (lane: LaneStatus) => number | undefined): Family {
  return {
    name,
    help,
    type: "gauge",
    samples: ({ lanes }) =>
      lanes.flatMap((lane) => {
        const value = read(lane);
        return value === undefined ? [] : [{ value, labels: { lane: String(lane.index) } }];
      }),
  };
}

function countsBy(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([key, value]) => ({ value, labels: { [label]: key } }));
}

/** Only the IDL's names become labels: anybody can send any other. An empty label is the same as none. */
function methodLabels({ method }: MethodSnapshot): Record<string, string> {
  return { thrift_service: method?.service ?? "", thrift_method: method?.name ?? "unknown" };
}

/** Outcomes that Baseplate's labels don't tell apart are summed: a label set may occur only once. */
function requestSamples(of: MethodSnapshot): Sample[] {
  const byException = new Map<string, Sample>();
  for (const outcome of outcomes) {
    const { success, exception } = baseplateLabels[outcome];
    const value = of.outcomes[outcome] + (byException.get(exception)?.value ?? 0);
    const labels = { ...methodLabels(of), thrift_success: success, thrift_exception_type: exception };
    byException.set(exception, { value, labels });
  }
  return [...byException.values()];
}

function latencySamples(of: MethodSnapshot): Sample[] {
  const { counts, sumMs, count } = of.latency;
  const sharedLabels = methodLabels(of);
  let below = 0;
  const buckets = Array.from(counts, (inBucket, index) => {
    below += inBucket;
    const le = latencyBucketsSeconds[index];
    return {
      value: below,
      metricName: `${LATENCY}_bucket`,
      labels: { le: le === undefined ? "+Inf" : String(le) },
      sharedLabels,
    };
  });
  return [
    ...buckets,
    { value: sumMs / 1000, metricName: `${LATENCY}_sum`, sharedLabels },
    { value: count, metricName: `${LATENCY}_count`, sharedLabels },
  ];
}
