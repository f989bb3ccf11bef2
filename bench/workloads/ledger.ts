/** Durable posts to the reference ledger, beside one commit per post on the same file system. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { callOnce } from "../load/held-connections.ts";
import { ledgerBalance, ledgerPosts } from "../load/messages.ts";
import type { RunningServer } from "../measure/processes.ts";
import { benchFolder } from "../servers/build.ts";
import { sluice, sluiceServe } from "../servers/sluice.ts";
import { mediansOf } from "./alternate.ts";
import { type Bench, goal, type Row, ratio, times, type Workload, type WorkloadResult } from "./workload.ts";

const connections = 8;
const depth = 8;

const columns: WorkloadResult["columns"] = [
  { key: "rate", title: "posts/s", unit: "rate" },
  { key: "p50Us", title: "p50", unit: "us" },
  { key: "p99Us", title: "p99", unit: "us" },
  { key: "cpuUsPerCall", title: "CPU/post", unit: "us" },
  { key: "ofSingle", title: "× one by one", unit: "ratio" },
  { key: "errors", title: "errors", unit: "count" },
];

export const ledger: Workload = {
  id: "ledger",
  title: `Durable ledger posts, ${connections * depth} in flight`,
  async run(bench) {
    // In the checkout and not in /tmp, which may be memory: a commit must reach a disk.
    const outFolder = join(benchFolder, "out");
    mkdirSync(outFolder, { recursive: true });
    const folder = mkdtempSync(join(outFolder, "ledger-"));
    try {
      const rows = bench.contestants.includes(sluice) ? await raceOf(bench, folder) : [];
      const gain = rows[0]?.values["ofSingle"];
      return {
        id: this.id,
        title: this.title,
        columns,
        rows,
        goals: [goal("≥ 10 × one commit per post", gain, { atLeast: 10 }, times)],
        notes: rows.length > 0 ? [] : ["Only Sluice has a ledger, and it does not take part in this run."],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function raceOf(bench: Bench, folder: string): Promise<Row[]> {
  const grouped: Record<string, number>[] = [];
  const single: Record<string, number>[] = [];
  let problem: string | undefined;
  try {
    const server = await bench.processes.serve(sluiceServe("--store", `sqlite:${join(folder, "ledger.db")}`));
    try {
      await inTurns(bench, folder, server, grouped, single);
    } finally {
      await server.stop(10_000);
    }
  } catch (error) {
    problem = (error as Error).message;
  }
  const alone = mediansOf(single);
  const together = mediansOf(grouped);
  return [
    {
      id: "sluice",
      label: "Sluice, the reference ledger",
      family: "sluice",
      values: { ...together, ofSingle: ratio(together["rate"], alone["rate"]) ?? Number.NaN },
      ...(problem === undefined ? {} : { problem }),
    },
    { id: "one-by-one", label: "node:sqlite, one commit per post", family: "baseline", values: alone },
  ];
}

async function inTurns(
  bench: Bench,
  folder: string,
  server: RunningServer,
  grouped: Record<string, number>[],
  single: Record<string, number>[],
): Promise<void> {
  const { measureMs, rounds, warmUpMs } = bench.options;
  const exchange = ledgerPosts(depth);
  let posted = 0;
  for (let round = 0; round < rounds; round++) {
    bench.progress(`round ${round + 1} of ${rounds}`);
    const measured = await bench.generator.measure(server, {
      exchange,
      connections,
      warmUpMs: round === 0 ? warmUpMs : warmUpMs / 3,
      measureMs,
      // Far enough apart that no round repeats another's ids.
      counterStart: round * 1e8,
    });
    grouped.push({ ...measured });
    posted += measured.totalCalls;
    const stdout = await bench.processes.run(
      {
        file: process.execPath,
        args: [join(benchFolder, "load", "commit-per-post.ts"), folder, String(measureMs)],
      },
      measureMs + 20_000,
    );
    single.push(JSON.parse(stdout) as { rate: number });
  }
  await checkBalance(server.port, posted);
}

/** Every receipt must stand for an entry: each post credited 1. */
async function checkBalance(port: number, posted: number): Promise<void> {
  const socket = createConnection({ host: "127.0.0.1", port });
  try {
    const reply = await callOnce(socket, ledgerBalance());
    // The i64 result stands before the byte that ends the result struct.
    const balance = Number(reply.readBigInt64BE(reply.length - 9));
    if (balance !== posted) throw new Error(`${posted} posts had receipts, but the balance is ${balance}`);
  } finally {
    socket.destroy();
  }
}
