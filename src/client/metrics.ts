/** A client's counters as metrics in the caller's own registry, filled at a scrape. Clients may share a registry. */
import type { Metric, Registry } from "prom-client";
import type { Endpoint } from "./endpoint.ts";
import { type ClientCounts, latencyLimitsMs } from "./stats.ts";

/** What one client's metrics are made of. */
export interface MetricsSource {
  /** The label `client`. */
  readonly client: string;
  readonly counts: ClientCounts;
  inFlight(): number;
  endpoints(): Iterable<Endpoint>;
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  samples(source: MetricsSource): Iterable<Sample>;
}

/** Their names follow Baseplate's, as the server's do. */
const families: readonly Family[] = [
  {
    name: "thrift_client_requests_total",
    help: "Calls by how they ended",
    type: "counter",
    *samples({ client, counts }) {
      for (const { method, outcome, count } of counts.all()) {
        yield { labels: { client, thrift_method: method, outcome }, value: count };
      }
    },
  },
  {
    name: "thrift_client_latency_seconds",
    help: "How long calls took, all attempts and pauses included",
    type: "histogram",
    *samples({ client, counts }) {
      const name = "thrift_client_latency_seconds";
      for (const { method, outcome, count, sumMs, buckets } of counts.all()) {
        const labels = { client, thrift_method: method, outcome };
        let upTo = 0;
        for (const [index, limitMs] of latencyLimitsMs.entries()) {
          upTo += buckets[index]!;
          yield { metricName: `${name}_bucket`, labels: { le: limitMs / 1000, ...labels }, value: upTo };
        }
        yield { metricName: `${name}_bucket`, labels: { le: "+Inf", ...labels }, value: count };
        yield { metricName: `${name}_sum`, labels, value: sumMs / 1000 };
        yield { metricName: `${name}_count`, labels, value: count };
      }
    },
  },
  {
    name: "thrift_client_active_requests",
    help: "Calls that are not settled",
    type: "gauge",
    *samples(source) {
      yield { labels: { client: source.client }, value: source.inFlight() };
    },
  },
  {
    name: "sluice_client_repeats_total",
    help: "Attempts that were made again, by what had become of the one before",
    type: "counter",
    *samples({ client, counts }) {
      for (const [why, value] of Object.entries(counts.repeats)) yield { labels: { client, why }, value };
    },
  },
  {
    name: "sluice_client_endpoint_away_total",
    help: "How often an endpoint got no calls for a while, by why",
    type: "counter",
    *samples({ client, counts }) {
      for (const [why, value] of Object.entries(counts.awayCounts)) yield { labels: { client, why }, value };
    },
  },
  {
    name: "sluice_client_endpoint_well",
    help: "1 while the endpoint gets calls",
    type: "gauge",
    *samples(source) {
      for (const { name, isWell } of source.endpoints()) {
        yield { labels: { client: source.client, endpoint: name }, value: isWell ? 1 : 0 };
      }
    },
  },
];

const sources = new WeakMap<Registry, Set<MetricsSource>>();

/** Adds a client to a registry. Returns what takes it out again. */
export function registerMetrics(registry: Registry, source: MetricsSource): () => void {
  let all = sources.get(registry);
  if (all === undefined || registry.getSingleMetric(families[0]!.name) === undefined) {
    all = new Set();
    sources.set(registry, all);
    for (const family of families) registry.registerMetric(metricOf(family, all));
  }
  all.add(source);
  const registered = all;
  return () => registered.delete(source);
}

/** The one method that a registry calls: without prom-client's own classes, a client does not load prom-client. */
function metricOf(family: Family, all: ReadonlySet<MetricsSource>): Metric {
  const { name, help, type } = family;
  const get = async (): Promise<unknown> => {
    const values = [...all].flatMap((source) => [...family.samples(source)]);
    return { name, help, type, aggregator: "sum", values };
  };
  return { name, help, type, get } as unknown as Metric;
}
