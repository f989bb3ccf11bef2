/**
 * prom-client's default metrics of the process: memory, CPU, descriptors, garbage collection. They belong to the
 * process and not to a server, and prom-client can't take its observers back, so they are made once, at first use.
 */
import { collectDefaultMetrics, Registry } from "prom-client";

/**
 * Left out: the lag metrics, because `sluice_event_loop_delay_seconds` says it without the sampling interval in it;
 * the handle, request and resource lists, because they walk every socket at every scrape.
 */
const leftOut = /^nodejs_(eventloop_lag|active_)/;

/** prom-client starts its lag timer whatever is left out: let it tick once in a minute. */
const LAG_TICK_MS = 60_000;

let registry: Registry | undefined;

/** The metrics of the process in the text format of Prometheus. */
export function scrapeProcess(): Promise<string> {
  registry ??= createProcessRegistry();
  return registry.metrics();
}

function createProcessRegistry(): Registry {
  const made = new Registry();
  collectDefaultMetrics({ register: made, eventLoopMonitoringPrecision: LAG_TICK_MS });
  for (const { name } of made.getMetricsAsArray()) {
    if (leftOut.test(name)) made.removeSingleMetric(name);
  }
  return made;
}
