/**
 * `make bench`: runs Sluice beside the stock npm thrift server and Apache's servers in other languages.
 * How to read what it prints: docs/performance.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createGenerator } from "./load/generator.ts";
import { createProcesses, type Processes } from "./measure/processes.ts";
import { BenchOptionError, type BenchOptions, parseOptions, usage } from "./options.ts";
import { chartOf } from "./report/chart.ts";
import { currentCommit, describeMachine, type Results, writeResults } from "./report/results.ts";
import { tableOf } from "./report/table.ts";
import { benchFolder } from "./servers/build.ts";
import { agreeOnBurning } from "./servers/burn-cpu.ts";
import type { Contestant } from "./servers/contestant.ts";
import { contestants } from "./servers/index.ts";
import { workloads } from "./workloads/index.ts";
import type { Bench, WorkloadResult } from "./workloads/workload.ts";

const docsFolder = join(benchFolder, "..", "docs");
const print = (text: string) => process.stdout.write(`${text}\n`);

/** Says what is going on, on a terminal only: a log file needs the tables, not the waiting. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.split("\n")[0]}`);
}

/** Whatever way the harness ends, no process that it started outlives it. */
function endWith(processes: Processes): void {
  process.on("exit", () => processes.killAll());
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.on(signal, () => process.exit(128 + number));
  }
}

/** Of a list, those with the ids that were asked for; an unknown id is an error that names the known ones. */
function choose<T extends { readonly id: string }>(
  all: readonly T[],
  ids: readonly string[] | undefined,
): T[] {
  const unknown = ids?.find((id) => !all.some((one) => one.id === id));
  if (unknown !== undefined) {
    throw new BenchOptionError(`no "${unknown}"; there are ${all.map(({ id }) => id).join(", ")}`);
  }
  return all.filter(({ id }) => ids === undefined || ids.includes(id));
}

async function prepareAll(chosen: readonly Contestant[], processes: Processes) {
  const ready: Contestant[] = [];
  const skipped: Record<string, string> = {};
  for (const contestant of chosen) {
    progress(`building ${contestant.label}`);
    const reason = await contestant.prepare(processes);
    if (reason === undefined) ready.push(contestant);
    else skipped[contestant.id] = reason;
  }
  return { ready, skipped };
}

async function main(options: BenchOptions): Promise<void> {
  const chosenWorkloads = choose(workloads, options.only);
  const chosenContestants = choose(contestants, options.servers);
  const machine = describeMachine();
  const processes = createProcesses();
  endWith(processes);

  agreeOnBurning();
  const generator = await createGenerator(processes);
  const { ready, skipped } = await prepareAll(chosenContestants, processes);
  progress("");
  print(
    `${machine.cores} × ${machine.cpu}, ${machine.system}, Node ${machine.node}; load before: ${machine.loadBefore}`,
  );
  print(
    `load generator: ${generator.kind === "c" ? "C (epoll)" : "Node (rates are lower than with the one in C)"}`,
  );
  print(`${options.rounds} × ${options.measureMs / 1000} s, medians`);
  for (const [id, reason] of Object.entries(skipped)) print(`skipped ${id}: ${reason}`);

  const bench: Bench = { options, contestants: ready, processes, generator, progress };
  const done: WorkloadResult[] = [];
  const { measureMs, rounds, warmUpMs, quick } = options;
  const results: Results = {
    startedAt: new Date().toISOString(),
    commit: currentCommit(benchFolder),
    machine,
    generator: generator.kind,
    options: { measureMs, rounds, warmUpMs, quick },
    skipped,
    workloads: done,
  };
  for (const workload of chosenWorkloads) {
    const result = await workload.run({ ...bench, progress: (text) => progress(`${workload.id}: ${text}`) });
    progress("");
    print(tableOf(result));
    done.push(result);
    // After each, so that a run that is broken off leaves what it has.
    writeResults(join(benchFolder, "out", "results.json"), results);
  }
  if (options.publish) publish(results);
}

function publish(results: Results): void {
  mkdirSync(docsFolder, { recursive: true });
  writeResults(join(docsFolder, "performance.json"), results);
  const chart = chartOf(results);
  if (chart !== undefined) writeFileSync(join(docsFolder, "performance.svg"), chart);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.list) {
    for (const { id, title } of workloads) print(`${id.padEnd(16)} ${title}`);
    for (const { id, label } of contestants) print(`${id.padEnd(16)} ${label}`);
  } else {
    await main(options);
  }
} catch (error) {
  if (!(error instanceof BenchOptionError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
