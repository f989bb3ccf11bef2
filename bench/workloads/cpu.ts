/** CPU-bound handlers: does a second worker bring a second core? */
import { burn, encode } from "../load/messages.ts";
import { sluice } from "../servers/sluice.ts";
import { alternate, type Entry, entriesFor } from "./alternate.ts";
import { type Bench, cellOf, goal, ratio, times, type Workload } from "./workload.ts";

const burnMs = 5;
const connections = 8;

/** Sluice with one worker and with two; pooled and threaded rivals with what two cores give them. */
function entriesOf(bench: Bench): Entry[] {
  const rivals = entriesFor(bench, { protocol: "binary", workers: 2 }).filter(({ id }) => id !== sluice.id);
  if (!bench.contestants.includes(sluice)) return rivals;
  const pools = [1, 2].map((workers) => ({
    id: `${sluice.id}-${workers}`,
    label: `${sluice.label}, ${workers} worker${workers > 1 ? "s" : ""}`,
    contestant: sluice,
    setup: { protocol: "binary" as const, workers },
  }));
  return [...pools, ...rivals];
}

export const cpuBound: Workload = {
  id: "burn-5ms",
  title: `CPU-bound, ${burnMs} ms of CPU time a call, ${connections} connections × 1`,
  async run(bench) {
    const exchange = encode(burn(burnMs), "binary", 1);
    const rows = await alternate(bench, entriesOf(bench), async ({ server, warmUpMs }) => {
      const load = { exchange, connections, warmUpMs, measureMs: bench.options.measureMs };
      return { ...(await bench.generator.measure(server, load)) };
    });
    const scaling = ratio(cellOf(rows, "sluice-2", "rate"), cellOf(rows, "sluice-1", "rate"));
    return {
      id: this.id,
      title: this.title,
      columns: [
        { key: "rate", title: "calls/s", unit: "rate" },
        { key: "p50Us", title: "p50", unit: "us" },
        { key: "p99Us", title: "p99", unit: "us" },
        { key: "cpuUsPerCall", title: "CPU/call", unit: "us" },
        { key: "errors", title: "errors", unit: "count" },
      ],
      rows,
      goals: [goal("2 workers ≥ 1.9 × 1 worker", scaling, { atLeast: 1.9 }, times)],
      notes: [],
    };
  },
};
