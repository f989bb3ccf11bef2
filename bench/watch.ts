/**
 * What it costs when people look: CPU per call of one server at a fixed rate, with and without open streams of events,
 * in alternating pairs.
 *
 *   node --conditions=sluice-source bench/watch.ts [--pairs 10] [--streams 20] [--rate 100000] [--seconds 3]
 */
import { request } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createGenerator } from "./load/generator.ts";
import { echo, encode } from "./load/messages.ts";
import { createProcesses } from "./measure/processes.ts";
import { benchFolder } from "./servers/build.ts";
import { sluiceServe } from "./servers/sluice.ts";
import { medianOf } from "./workloads/alternate.ts";

/** The most that looking may add to the CPU time of a call. */
const goalPercent = 3;
const connections = 8;
const depth = 16;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "10" },
    streams: { type: "string", default: "20" },
    rate: { type: "string", default: "100000" },
    seconds: { type: "string", default: "3" },
  },
});
const pairs = bounded("pairs", values.pairs, 1, 50);
const streams = bounded("streams", values.streams, 1, 64);
const ratePerSecond = bounded("rate", values.rate, 100, 1_000_000);
const measureMs = 1000 * bounded("seconds", values.seconds, 0.5, 30);

function bounded(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (value >= low && value <= high) return value;
  process.stderr.write(`--${name} must be between ${low} and ${high}; got ${text}\n`);
  process.exit(2);
}

/** Opens streams of events that are read and thrown away. Returns what ends them, and says how many events came. */
async function look(adminPort: number): Promise<() => number> {
  let events = 0;
  const open = Array.from({ length: streams }, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const asking = request(
      { host: "127.0.0.1", port: adminPort, path: "/events", agent: false },
      (response) => {
        response.on("error", () => {});
        response.on("data", (chunk: Buffer) => {
          if (chunk.includes("data: ")) events++;
        });
        if (response.statusCode === 200) resolve();
        else reject(new Error(`/events answered ${response.statusCode}`));
      },
    );
    asking.on("error", reject).end();
    return { asking, promise };
  });
  await Promise.all(open.map(({ promise }) => promise));
  return () => {
    for (const { asking } of open) asking.destroy();
    return events;
  };
}

const processes = createProcesses();
process.on("exit", () => processes.killAll());
const generator = await createGenerator(processes);
const server = await processes.serve(sluiceServe(join(benchFolder, "service.ts"), "--workers", "2"));
const exchange = encode(echo, "binary", depth);

async function measure(warmUpMs: number): Promise<number> {
  const { cpuUsPerCall, rate, errors } = await generator.measure(server, {
    exchange,
    connections,
    ratePerSecond,
    warmUpMs,
    measureMs,
  });
  if (errors > 0) throw new Error(`${errors} calls went wrong`);
  process.stdout.write(`${Math.round(rate)} calls/s  ${cpuUsPerCall.toFixed(3)} µs  `);
  return cpuUsPerCall;
}

const rises: number[] = [];
try {
  process.stdout.write(`${streams} streams, ${ratePerSecond} calls/s, ${measureMs} ms; warming up: `);
  await measure(3000);
  process.stdout.write("\n");
  for (let pair = 0; pair < pairs; pair++) {
    let alone = 0;
    let watched = 0;
    let events = 0;
    // Each comes first in every other pair, so that what grows or cools down hits both alike.
    for (const looking of pair % 2 === 0 ? [false, true] : [true, false]) {
      process.stdout.write(looking ? "watched: " : "alone: ");
      if (!looking) alone = await measure(500);
      else {
        const end = await look(server.adminPort);
        watched = await measure(500);
        events = end();
      }
    }
    rises.push(100 * (watched / alone - 1));
    process.stdout.write(`rise ${rises.at(-1)!.toFixed(1)} %, ${events} events\n`);
  }
} finally {
  await server.stop();
}
const rise = medianOf(rises);
const verdict = rise <= goalPercent ? "met" : "missed";
process.stdout.write(
  `median rise of CPU per call: ${rise.toFixed(2)} % (goal: ${goalPercent} % at most: ${verdict})\n`,
);
process.exitCode = rise <= goalPercent ? 0 : 1;
