/** The plain races: one call over and over, as fast as the server answers. */
import { blob, echo, encode, ping } from "../load/messages.ts";
import type { ProtocolName } from "../servers/contestant.ts";
import { alternate, entriesFor } from "./alternate.ts";
import {
  type Bench,
  type Column,
  type Goal,
  goal,
  type Row,
  ratio,
  times,
  type Workload,
} from "./workload.ts";

interface Race {
  readonly id: string;
  readonly title: string;
  readonly call: typeof ping;
  readonly connections: number;
  readonly depth: number;
  readonly protocol?: ProtocolName;
  readonly goals?: { readonly stock?: number; readonly apache?: number; readonly cpuUs?: number };
}

const columns: readonly Column[] = [
  { key: "rate", title: "calls/s", unit: "rate" },
  { key: "p50Us", title: "p50", unit: "us" },
  { key: "p99Us", title: "p99", unit: "us" },
  { key: "cpuUsPerCall", title: "CPU/call", unit: "us" },
  { key: "ofStock", title: "× stock", unit: "ratio" },
  { key: "ofApache", title: "× best Apache", unit: "ratio" },
  { key: "generatorLoad", title: "generator", unit: "share" },
  { key: "errors", title: "errors", unit: "count" },
];

const workers = 2;

function race(spec: Race): Workload {
  const protocol = spec.protocol ?? "binary";
  return {
    id: spec.id,
    title: spec.title,
    async run(bench: Bench) {
      const exchange = encode(spec.call, protocol, spec.depth);
      const rows = await alternate(
        bench,
        entriesFor(bench, { protocol, workers }),
        async ({ server, warmUpMs }) => ({
          ...(await bench.generator.measure(server, {
            exchange,
            connections: spec.connections,
            warmUpMs,
            measureMs: bench.options.measureMs,
          })),
        }),
      );
      const compared = withRatios(rows);
      return {
        id: spec.id,
        title: spec.title,
        columns,
        rows: compared,
        goals: goalsOf(spec, compared),
        notes: [],
      };
    },
  };
}

/** Sets each row beside the stock server and beside the fastest of Apache's in other languages. */
function withRatios(rows: readonly Row[]): Row[] {
  const stock = rows.find(({ family }) => family === "stock")?.values["rate"];
  const apache = rows.filter(({ family }) => family === "apache").map(({ values }) => values["rate"] ?? 0);
  const best = apache.length > 0 ? Math.max(...apache) : undefined;
  return rows.map((row) => {
    const rate = row.values["rate"];
    const values = {
      ...row.values,
      ofStock: ratio(rate, stock) ?? Number.NaN,
      ofApache: ratio(rate, best) ?? Number.NaN,
    };
    return row.problem === undefined ? { ...row, values } : row;
  });
}

function goalsOf({ goals = {} }: Race, rows: readonly Row[]): Goal[] {
  const values = rows.find(({ id }) => id === "sluice")?.values;
  const all: Goal[] = [];
  if (goals.stock !== undefined) {
    all.push(goal(`≥ ${goals.stock} × stock`, values?.["ofStock"], { atLeast: goals.stock }, times));
  }
  if (goals.apache !== undefined) {
    const text = `≥ ${goals.apache} × best Apache`;
    all.push(goal(text, values?.["ofApache"], { atLeast: goals.apache }, times));
  }
  if (goals.cpuUs !== undefined) {
    const text = `≤ ${goals.cpuUs} µs CPU per call`;
    all.push(goal(text, values?.["cpuUsPerCall"], { atMost: goals.cpuUs }, (us) => `${us.toFixed(1)} µs`));
  }
  return all;
}

export const races: readonly Workload[] = [
  race({ id: "ping", title: "Tiny call, 8 connections × 16", call: ping, connections: 8, depth: 16 }),
  race({
    id: "echo-32x1",
    title: "139-byte struct, 32 connections × 1",
    call: echo,
    connections: 32,
    depth: 1,
    goals: { stock: 2.8, apache: 1, cpuUs: 15 },
  }),
  race({
    id: "echo-8x16",
    title: "139-byte struct, 8 connections × 16",
    call: echo,
    connections: 8,
    depth: 16,
    goals: { stock: 8, apache: 1.3, cpuUs: 5 },
  }),
  race({ id: "blob-1k", title: "1 KB blob, 8 connections × 4", call: blob(1024), connections: 8, depth: 4 }),
  race({
    id: "blob-64k",
    title: "64 KB blob, 8 connections × 2",
    call: blob(65_536),
    connections: 8,
    depth: 2,
    goals: { stock: 2 },
  }),
  race({
    id: "compact-8x16",
    title: "139-byte struct over compact (90 bytes), 8 connections × 16",
    call: echo,
    connections: 8,
    depth: 16,
    protocol: "compact",
    goals: { stock: 8 },
  }),
];
