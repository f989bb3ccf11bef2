/** What a workload is: something that is run against contestants and gives a table and goals. */
import type { Generator } from "../load/generator.ts";
import type { Processes } from "../measure/processes.ts";
import type { BenchOptions } from "../options.ts";
import type { Contestant } from "../servers/contestant.ts";

/** What every workload is given. */
export interface Bench {
  readonly options: BenchOptions;
  /** Those that were asked for and could be built. */
  readonly contestants: readonly Contestant[];
  readonly processes: Processes;
  readonly generator: Generator;
  /** Tells the one who waits what is going on. */
  readonly progress: (text: string) => void;
}

export type Unit = "rate" | "us" | "ms" | "bytes" | "ratio" | "share" | "count";

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly unit: Unit;
}

/** One line of a table: the medians of one contestant, or why there are none. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly family: Contestant["family"] | "baseline";
  readonly values: Readonly<Record<string, number>>;
  readonly problem?: string;
}

/** A goal of the project, and what was measured. Undefined when the run does not say. */
export interface Goal {
  readonly text: string;
  readonly measured: string;
  readonly met: boolean | undefined;
}

export interface WorkloadResult {
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
  readonly notes: readonly string[];
}

export interface Workload {
  readonly id: string;
  readonly title: string;
  run(bench: Bench): Promise<WorkloadResult>;
}

/** A goal that a number be at least, or at most, so much; `show` writes the number. */
export function goal(
  text: string,
  value: number | undefined,
  bound: { readonly atLeast: number } | { readonly atMost: number },
  show: (value: number) => string,
): Goal {
  if (value === undefined || !Number.isFinite(value))
    return { text, measured: "not measured", met: undefined };
  const met = "atLeast" in bound ? value >= bound.atLeast : value <= bound.atMost;
  return { text, measured: show(value), met };
}

/** Writes a ratio, for goals. */
export const times = (value: number): string => `${value.toFixed(2)} ×`;

/** The value of one row, or undefined when there is none. */
export function cellOf(rows: readonly Row[], id: string, key: string): number | undefined {
  return rows.find((row) => row.id === id)?.values[key];
}

/** a / b, or undefined when either is. */
export function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}
