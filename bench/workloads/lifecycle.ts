/** How long it takes to start, and to stop with nothing in flight. */

import { setTimeout as sleep } from "node:timers/promises";
import { openConnections } from "../load/held-connections.ts";
import { encode, ping } from "../load/messages.ts";
import type { Contestant } from "../servers/contestant.ts";
import { sluice } from "../servers/sluice.ts";
import { mediansOf } from "./alternate.ts";
import { type Bench, cellOf, goal, type Row, type Workload } from "./workload.ts";

const setup = { protocol: "binary", workers: 2 } as const;

/** Starts a contestant anew in each round, and does something with it. */
async function eachRound(
  bench: Bench,
  contestants: readonly Contestant[],
  measure: (contestant: Contestant) => Promise<Record<string, number>>,
): Promise<Row[]> {
  const samples = new Map<Contestant, Record<string, number>[]>(contestants.map((c) => [c, []]));
  const problems = new Map<Contestant, string>();
  for (let round = 0; round < Math.max(3, bench.options.rounds); round++) {
    for (const contestant of contestants) {
      if (problems.has(contestant)) continue;
      bench.progress(`round ${round + 1}: ${contestant.label}`);
      await measure(contestant).then(
        (values) => samples.get(contestant)!.push(values),
        (error: Error) => problems.set(contestant, error.message),
      );
    }
  }
  return contestants.map((contestant) => {
    const { id, label, family } = contestant;
    const problem = problems.get(contestant);
    if (problem !== undefined) return { id, label, family, values: {}, problem };
    return { id, label, family, values: mediansOf(samples.get(contestant)!) };
  });
}

export const start: Workload = {
  id: "start",
  title: "Start, from the spawn to listening",
  async run(bench) {
    const rows = await eachRound(bench, bench.contestants, async (contestant) => {
      const server = await bench.processes.serve(contestant.command(setup));
      await server.stop();
      return { startMs: server.startMs };
    });
    const ms = cellOf(rows, sluice.id, "startMs");
    return {
      id: this.id,
      title: this.title,
      columns: [{ key: "startMs", title: "start", unit: "ms" }],
      rows,
      goals: [goal("Sluice ≤ 600 ms from source", ms, { atMost: 600 }, (value) => `${value.toFixed(0)} ms`)],
      notes: [],
    };
  },
};

const heldConnections = 32;
/** Longer than `quiet` (100 ms by default), so that no connection was active within it. */
const silenceMs = 500;

export const drain: Workload = {
  id: "drain",
  title: `Stop, from SIGTERM to exit: nothing in flight, ${heldConnections} silent connections open`,
  async run(bench) {
    const exchange = encode(ping, "binary", 1);
    const rows = await eachRound(
      bench,
      bench.contestants.filter((contestant) => contestant === sluice),
      async (contestant) => {
        const server = await bench.processes.serve(contestant.command(setup));
        const load = { exchange, connections: 8, warmUpMs: 500, measureMs: 200 };
        await bench.generator.measure(server, load);
        const held = await openConnections(server.port, heldConnections, exchange);
        await sleep(silenceMs);
        const askedMs = performance.now();
        const { atMs, code, signal } = await server.stop(10_000);
        held.close();
        if (code !== 0) throw new Error(`ended with ${code ?? signal} instead of 0`);
        return { drainMs: atMs - askedMs };
      },
    );
    const ms = cellOf(rows, sluice.id, "drainMs");
    return {
      id: this.id,
      title: this.title,
      columns: [{ key: "drainMs", title: "stop", unit: "ms" }],
      rows,
      goals: [goal("≤ 60 ms from SIGTERM to exit", ms, { atMost: 60 }, (value) => `${value.toFixed(0)} ms`)],
      notes: ["Apache's servers do not drain: SIGTERM ends them at once, with whatever is in flight."],
    };
  },
};
