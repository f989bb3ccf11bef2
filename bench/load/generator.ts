/**
 * The load generator as the harness sees it: a process of its own, in C where a compiler is present
 * (load.c), else in TypeScript (load.ts), with one interface:
 *
 * --port --connections --depth          a closed loop: each connection keeps `depth` calls in flight
 * --requests FILE --replies FILE        `depth` frames each, one per slot
 * --warmup-ms --measure-ms              bound the run; what is still out at the end is waited for, 2 s at most
 * --rate N                              paced: N calls a second in all, at most connections x depth at once.
 *                                       A call that has to wait for its connection counts from when it was due
 * --compare-bytes N                     how much of a reply is compared
 * --counter-offset --counter-digits --counter-start   a decimal number in each request that never repeats
 * --sample FILE                         read at the start and the end of the measurement, for accounting
 *
 * It prints one line of JSON: `LoadReport`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuUsOf, statPath } from "../measure/accounting.ts";
import type { Command, Processes } from "../measure/processes.ts";
import { benchFolder, build, buildFolder } from "../servers/build.ts";
import type { Exchange } from "./messages.ts";

export type GeneratorKind = "c" | "node";

/** What the generator prints. Times of calls in µs, from sending to the last byte of the reply. */
export interface LoadReport {
  readonly generator: GeneratorKind;
  readonly samples: readonly [before: string, after: string];
  readonly seconds: number;
  readonly calls: number;
  readonly rate: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly generatorCpuUs: number;
  /** Calls answered since the start, warm-up included. */
  readonly totalCalls: number;
  readonly errors: { readonly mismatch: number; readonly closed: number; readonly unanswered: number };
}

export interface Load {
  readonly exchange: Exchange;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Calls per second in all; without it a closed loop. */
  readonly ratePerSecond?: number;
  /** The first number of a counted exchange. */
  readonly counterStart?: number;
}

/** One measurement of one server. */
export interface Measurement {
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** User and system time of the server's process, per call answered in the measured time. */
  readonly cpuUsPerCall: number;
  /** The share of one core that the generator took, 0 to 1. Near 1 it is the bottleneck. */
  readonly generatorLoad: number;
  readonly errors: number;
  readonly totalCalls: number;
}

export interface Generator {
  readonly kind: GeneratorKind;
  /** Puts one load on a port of 127.0.0.1 and measures it and the CPU time of the server's process. */
  measure(server: { readonly port: number; readonly pid: number }, load: Load): Promise<Measurement>;
}

const program = join(buildFolder, "load");
const framesFolder = join(benchFolder, "out", "frames");

/** Builds the C generator, or falls back to the one in TypeScript. */
export async function createGenerator(processes: Processes): Promise<Generator> {
  const sources = ["load.c", "loop.h", "histogram.h"].map((file) => join(import.meta.dirname, file));
  const missing = await build(processes, {
    tools: ["gcc"],
    folder: buildFolder,
    output: program,
    sources,
    commands: [["gcc", "-O2", "-Wall", "-o", program, sources[0]!]],
  });
  const kind = missing === undefined && process.env["BENCH_GENERATOR"] !== "node" ? "c" : "node";
  mkdirSync(framesFolder, { recursive: true });

  return {
    kind,
    async measure(server, load) {
      const stdout = await processes.run(
        generatorCommand(kind, server, load),
        load.warmUpMs + load.measureMs + 15_000,
      );
      return measurementOf(JSON.parse(stdout) as LoadReport);
    },
  };
}

function generatorCommand(kind: GeneratorKind, server: { port: number; pid: number }, load: Load): Command {
  const { exchange } = load;
  const requests = join(framesFolder, `${exchange.name}.requests`);
  const replies = join(framesFolder, `${exchange.name}.replies`);
  writeFileSync(requests, exchange.requests);
  writeFileSync(replies, exchange.replies);
  const values: Record<string, string | number | undefined> = {
    port: server.port,
    connections: load.connections,
    depth: exchange.depth,
    requests,
    replies,
    "warmup-ms": Math.round(load.warmUpMs),
    "measure-ms": Math.round(load.measureMs),
    rate: load.ratePerSecond,
    "compare-bytes": exchange.compareBytes,
    "counter-offset": exchange.counter?.offset,
    "counter-digits": exchange.counter?.digits,
    "counter-start": load.counterStart,
    sample: statPath(server.pid),
  };
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const args = given.flatMap(([name, value]) => [`--${name}`, String(value)]);
  return kind === "c"
    ? { file: program, args }
    : { file: process.execPath, args: [join(import.meta.dirname, "load.ts"), ...args] };
}

function measurementOf(report: LoadReport): Measurement {
  const { mismatch, closed, unanswered } = report.errors;
  const cpuUs = cpuUsOf(report.samples[1]) - cpuUsOf(report.samples[0]);
  // Where nothing was answered there is no latency; the generators print 0.
  const latency = (us: number) => (report.calls > 0 ? us : Number.NaN);
  return {
    rate: report.rate,
    p50Us: latency(report.p50Us),
    p99Us: latency(report.p99Us),
    maxUs: latency(report.maxUs),
    cpuUsPerCall: report.calls > 0 ? cpuUs / report.calls : Number.NaN,
    generatorLoad: report.generatorCpuUs / 1e6 / report.seconds,
    errors: mismatch + closed + unanswered,
    totalCalls: report.totalCalls,
  };
}
