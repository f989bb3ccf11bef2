/**
 * How many workers a machine is good for: its cores, but no more than the CPU quota of the control group
 * (a container with `--cpus 2` on 64 cores), and at least two, so that one stuck handler never stops all.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path/posix";

/** Reads a small text file; undefined when there is none. */
export type TextReader = (path: string) => string | undefined;

/** Fewest workers that are started unless asked otherwise. */
const fewestWorkers = 2;

/**
 * The default of the option `workers`.
 *
 * @param cores what the scheduler lets this process use
 * @param quotaCores the control group's limit in cores, undefined when there is none
 */
export function defaultWorkers(cores: number, quotaCores: number | undefined): number {
  return Math.max(fewestWorkers, Math.floor(Math.min(cores, quotaCores ?? cores)));
}

/** The same for this machine and process. */
export function workersOfThisMachine(): number {
  return defaultWorkers(availableParallelism(), cpuQuota(readText));
}

/** Whether two threads of this process can always run at the same time. */
export function hasSeveralCores(): boolean {
  return Math.min(availableParallelism(), cpuQuota(readText) ?? Number.POSITIVE_INFINITY) >= 2;
}

/**
 * The tightest CPU limit on this process's control group or one above it, in cores. Understands version 2
 * (`cpu.max`) and version 1 (`cpu.cfs_quota_us`). Inside a container the group's own path is often not mounted;
 * then the mount's root is the container's group.
 */
export function cpuQuota(read: TextReader): number | undefined {
  const limits: number[] = [];
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) {
      continue;
    }
    const version2 = controllers === "";
    if (!version2 && !controllers.split(",").includes("cpu")) {
      continue;
    }
    for (const directory of fromGroupToRoot(group)) {
      const limit = version2 ? limitOfVersion2(read, directory) : limitOfVersion1(read, directory);
      if (limit !== undefined) {
        limits.push(limit);
      }
    }
  }
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function fromGroupToRoot(group: string): string[] {
  const directories: string[] = [];
  for (let path = join("/", group); ; path = dirname(path)) {
    directories.push(path);
    if (path === "/") {
      return directories;
    }
  }
}

/** `cpu.max` holds "QUOTA PERIOD" in µs, or "max PERIOD". */
function limitOfVersion2(read: TextReader, directory: string): number | undefined {
  const [quota, period] = (read(join("/sys/fs/cgroup", directory, "cpu.max")) ?? "").trim().split(" ");
  return quotient(quota, period);
}

/** `cpu.cfs_quota_us` is -1 when there is no limit. */
function limitOfVersion1(read: TextReader, directory: string): number | undefined {
  const base = join("/sys/fs/cgroup/cpu", directory);
  return quotient(read(join(base, "cpu.cfs_quota_us")), read(join(base, "cpu.cfs_period_us")));
}

function quotient(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number.parseInt(quota ?? "", 10) / Number.parseInt(period ?? "", 10);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
