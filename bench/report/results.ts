/** Everything that one run found, as it is written to JSON. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { dirname } from "node:path";
import type { GeneratorKind } from "../load/generator.ts";
import type { BenchOptions } from "../options.ts";
import type { WorkloadResult } from "../workloads/workload.ts";

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** The load of the last minute when the run began: above 0.3 or so, something else was running. */
  readonly loadBefore: number;
}

export interface Results {
  readonly startedAt: string;
  readonly commit: string | undefined;
  readonly machine: Machine;
  readonly generator: GeneratorKind;
  readonly options: Pick<BenchOptions, "measureMs" | "rounds" | "warmUpMs" | "quick">;
  /** Contestants that did not take part, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly workloads: readonly WorkloadResult[];
}

/** What this machine is; call it before the run, for the load. */
export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    memoryBytes: totalmem(),
    system: `${type()} ${release().split("-")[0]}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The commit that is checked out, or undefined outside a repository. */
export function currentCommit(folder: string): string | undefined {
  try {
    const args = ["-C", folder, "rev-parse", "--short", "HEAD"];
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** Writes results as indented JSON; numbers that are none (no rival to compare with) become null. */
export function writeResults(path: string, results: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(6)) : value;
  writeFileSync(path, `${JSON.stringify(results, rounded, 2)}\n`);
}
