/**
 * `/metrics`: plain counters become Prometheus metrics at a scrape, never at a call. Every server has a registry of its own,
 * so that several can live in one process.
 */
import { type Metric, Registry } from "prom-client";
import { createEventLoopDelayMonitor } from "./event-loop-delay.ts";
import { type Family, families, type ScrapeFacts } from "./metric-families.ts";
import { scrapeProcess } from "./process-metrics.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { AdminSource } from "./source.ts";

/** The metrics of one server. */
export interface Metrics {
  readonly contentType: string;
  /** All metrics in the text format of Prometheus, from one consistent look at the server. */
  scrape(): Promise<string>;
  /** Stops measuring. A later scrape still works. */
  stop(): void;
}

/** Makes the metrics of a server. */
export function createMetrics(source: AdminSource): Metrics {
  const registry = new Registry();
  const eventLoop = createEventLoopDelayMonitor();
  let facts: ScrapeFacts;
  for (const family of families) registry.registerMetric(metricOf(family, () => facts));
  return {
    contentType: registry.contentType,
    async scrape(): Promise<string> {
      const { name, version } = source;
      facts = { ...takeSnapshot(source), name, version, eventLoopDelay: eventLoop.read() };
      // The registry asks every metric before it first waits, so a second scrape can't swap the facts under it.
      const [own, ofProcess] = await Promise.all([registry.metrics(), scrapeProcess()]);
      return `${own}\n${ofProcess}`;
    },
    stop: () => eventLoop.stop(),
  };
}

/** The one method that a registry calls. prom-client's own classes would add a hash lookup per sample and label check. */
function metricOf(family: Family, facts: () => ScrapeFacts): Metric {
  const { name, help, type } = family;
  const get = async (): Promise<unknown> => ({ name, help, type, values: family.samples(facts()) });
  return { name, help, type, get } as unknown as Metric;
}
