/** Cheap calls beside long synchronous ones: whom does a stuck handler make wait? */
import { burn, encode, ping } from "../load/messages.ts";
import { alternate, entriesFor } from "./alternate.ts";
import { cellOf, goal, type Workload } from "./workload.ts";

const burnMs = 200;
/** Few enough that the machine is not busy with the pings themselves. */
const pingsPerSecond = 2000;
const pingConnections = 8;

export const mixed: Workload = {
  id: "mixed",
  title: `Pings (${pingsPerSecond}/s) while one of two workers sits in ${burnMs} ms calls`,
  async run(bench) {
    const pings = encode(ping, "binary", 1);
    const burns = encode(burn(burnMs), "binary", 1);
    // Long enough for about ten burns, so that the pings' p99 is one over many burns.
    const measureMs = Math.max(bench.options.measureMs, 2000);
    const rows = await alternate(
      bench,
      entriesFor(bench, { protocol: "binary", workers: 2 }),
      async ({ server, warmUpMs }) => {
        const pingLoad = {
          exchange: pings,
          connections: pingConnections,
          ratePerSecond: pingsPerSecond,
          measureMs,
        };
        const unloaded = await bench.generator.measure(server, { ...pingLoad, warmUpMs });
        // The burns start before the pings that are measured, and end after them.
        const [loaded, burned] = await Promise.all([
          bench.generator.measure(server, { ...pingLoad, warmUpMs: 500 }),
          bench.generator.measure(server, {
            exchange: burns,
            connections: 1,
            warmUpMs: 0,
            measureMs: measureMs + 1000,
          }),
        ]);
        return {
          unloadedP50Us: unloaded.p50Us,
          unloadedP99Us: unloaded.p99Us,
          loadedP50Us: loaded.p50Us,
          loadedP99Us: loaded.p99Us,
          growth: loaded.p99Us / unloaded.p99Us,
          burnRate: burned.rate,
          errors: unloaded.errors + loaded.errors + burned.errors,
        };
      },
    );
    const growth = cellOf(rows, "sluice", "growth");
    const p99Us = cellOf(rows, "sluice", "loadedP99Us");
    return {
      id: this.id,
      title: this.title,
      columns: [
        { key: "unloadedP50Us", title: "p50 alone", unit: "us" },
        { key: "unloadedP99Us", title: "p99 alone", unit: "us" },
        { key: "loadedP50Us", title: "p50 beside", unit: "us" },
        { key: "loadedP99Us", title: "p99 beside", unit: "us" },
        { key: "growth", title: "p99 grows", unit: "ratio" },
        { key: "burnRate", title: "burns/s", unit: "rate" },
        { key: "errors", title: "errors", unit: "count" },
      ],
      rows,
      goals: [
        goal("p99 beside ≤ 3 × p99 alone", growth, { atMost: 3 }, (value) => `${value.toFixed(2)} ×`),
        goal("p99 beside ≤ 10 ms", p99Us && p99Us / 1000, { atMost: 10 }, (ms) => `${ms.toFixed(2)} ms`),
      ],
      notes: ["A ping that finds its connection busy counts from when it was due (no coordinated omission)."],
    };
  },
};
