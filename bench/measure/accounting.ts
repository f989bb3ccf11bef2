/** What a process has used, from /proc: CPU time of all its threads, and memory. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

let ticksPerSecond: number | undefined;

/**
 * User and system time of a process and all its threads, in µs, from the text of its /proc/PID/stat.
 * The kernel's resolution is one tick, 10 ms as a rule: measure for seconds, not for moments.
 */
export function cpuUsOf(stat: string): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  // The command's name, in parentheses, may hold spaces: count the fields behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`not the text of a /proc/PID/stat: ${JSON.stringify(stat)}`);
  return (ticks * 1e6) / ticksPerSecond;
}

/** The file that the load generator reads before and after its measurement, for `cpuUsOf`. */
export function statPath(pid: number): string {
  return `/proc/${pid}/stat`;
}

/** The memory of a process that is in RAM, in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (!line) throw new Error(`/proc/${pid}/status names no VmRSS: has the process ended?`);
  return Number(line[1]) * 1024;
}

/** How many files (and so sockets) a process started from here may open. */
export function openFileLimit(): number {
  const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return line?.[2] === "unlimited" ? Number.POSITIVE_INFINITY : Number(line?.[2] ?? 1024);
}
