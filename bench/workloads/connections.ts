/** What a connection costs that does nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import { openConnections } from "../load/held-connections.ts";
import { encode, ping } from "../load/messages.ts";
import { openFileLimit, residentBytes } from "../measure/accounting.ts";
import { alternate, entriesFor } from "./alternate.ts";
import { cellOf, goal, type Workload } from "./workload.ts";

const wanted = 10_000;
/** Descriptors that server and harness need for other things. */
const spareFiles = 500;
/** A server with a thread per connection would be asked for 10,000 threads. */
const eventDriven = ["sluice", "node", "cpp-nonblocking", "go-simple"];
const settleMs = 1000;

export const idleConnections: Workload = {
  id: "idle-10k",
  title: `${wanted.toLocaleString("en")} idle connections (each made one call)`,
  async run(bench) {
    const count = Math.min(wanted, openFileLimit() - spareFiles);
    const exchange = encode(ping, "binary", 1);
    const oneRound = { ...bench, options: { ...bench.options, rounds: 1 } };
    const entries = entriesFor(bench, { protocol: "binary", workers: 2 }, eventDriven);
    const rows = await alternate(oneRound, entries, async ({ server, warmUpMs }) => {
      // Warm first: what the server allocates once, for code and pools, is not the connections'.
      await bench.generator.measure(server, { exchange, connections: 32, warmUpMs, measureMs: 500 });
      await sleep(settleMs);
      const beforeBytes = residentBytes(server.pid);
      const held = await openConnections(server.port, count, exchange);
      await sleep(settleMs);
      const afterBytes = residentBytes(server.pid);
      const errors = held.lost;
      held.close();
      return { beforeBytes, afterBytes, bytesPerConnection: (afterBytes - beforeBytes) / count, errors };
    });
    const bytes = cellOf(rows, "sluice", "bytesPerConnection");
    return {
      id: this.id,
      title: this.title,
      columns: [
        { key: "bytesPerConnection", title: "each", unit: "bytes" },
        { key: "beforeBytes", title: "before", unit: "bytes" },
        { key: "afterBytes", title: "with all", unit: "bytes" },
        { key: "errors", title: "lost", unit: "count" },
      ],
      rows,
      goals: [
        goal("≤ 12 KB each", bytes, { atMost: 12 * 1024 }, (value) => `${(value / 1024).toFixed(1)} KB`),
      ],
      notes: count < wanted ? [`Only ${count}: the limit of open files is ${openFileLimit()}.`] : [],
    };
  },
};
