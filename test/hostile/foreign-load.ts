/** How much of the machine others used meanwhile: what they took, neither server nor victim had. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** As Linux counts time in /proc. */
const ticksPerSecond = 100;

export class ForeignLoad {
  readonly #pids: readonly number[];
  readonly #startMs: number = performance.now();
  readonly #foreignAtStart: number;

  /** @param pids processes beside this one that belong to the test */
  constructor(pids: readonly number[]) {
    this.#pids = [process.pid, ...pids];
    this.#foreignAtStart = this.#foreignTicks();
  }

  /** The share of all cores that others used since the start, 0 to 1; 0 where nobody can tell. */
  get share(): number {
    const elapsedTicks =
      ((performance.now() - this.#startMs) / 1000) * ticksPerSecond * availableParallelism();
    return Math.max(0, (this.#foreignTicks() - this.#foreignAtStart) / elapsedTicks);
  }

  #foreignTicks(): number {
    try {
      const [user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8")
        .split("\n")[0]!
        .trim()
        .split(/\s+/)
        .slice(1)
        .map(Number) as [number, number, number, number, number, number, number];
      const busy = user + nice + system + irq + softirq;
      return busy - this.#pids.reduce((sum, pid) => sum + ticksOf(pid), 0);
    } catch {
      return 0;
    }
  }
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
