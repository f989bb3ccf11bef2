/** The command line of `bench/run.ts`. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Ids of the workloads to run; undefined runs all. */
  readonly only: readonly string[] | undefined;
  /** Ids of the contestants to run; undefined runs all that can be built here. */
  readonly servers: readonly string[] | undefined;
  /** How long one measurement takes, in ms. Default 3,000; with --quick 1,000. */
  readonly measureMs: number;
  /** How often each contestant is measured; the median counts. Default 3; with --quick 1. */
  readonly rounds: number;
  /** How long a freshly started contestant is warmed up, in ms. Default 3,000; with --quick 1,500. */
  readonly warmUpMs: number;
  /** Whether docs/performance.json and docs/performance.svg are written. */
  readonly publish: boolean;
  readonly quick: boolean;
}

export const usage = `usage: node bench/run.ts [options]
  --quick            one round of one second each
  --only A,B         only these workloads
  --servers A,B      only these contestants
  --seconds N        length of one measurement, 0.2 to 60 (default 3)
  --rounds N         measurements per contestant, 1 to 20 (default 3); the median counts
  --publish          also write docs/performance.json and docs/performance.svg
  --list             name the workloads and contestants
`;

/** Thrown for a command line that can't be understood; the message names the option. */
export class BenchOptionError extends Error {
  readonly code = "BENCH_BAD_OPTION";
}

/** Reads the arguments behind `run.ts`; `list` is true when only names are asked for. */
export function parseOptions(args: readonly string[]): BenchOptions & { readonly list: boolean } {
  const { values } = readArguments(args);
  const quick = values.quick ?? false;
  return {
    list: values.list ?? false,
    only: values.only?.split(","),
    servers: values.servers?.split(","),
    measureMs: inRange("seconds", values.seconds, quick ? 1 : 3, 0.2, 60) * 1000,
    rounds: Math.round(inRange("rounds", values.rounds, quick ? 1 : 3, 1, 20)),
    warmUpMs: quick ? 1500 : 3000,
    publish: values.publish ?? false,
    quick,
  };
}

type Values = Partial<Record<"quick" | "publish" | "list", boolean>> &
  Partial<Record<"only" | "servers" | "seconds" | "rounds", string>>;

function readArguments(args: readonly string[]): { values: Values } {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        only: { type: "string" },
        servers: { type: "string" },
        seconds: { type: "string" },
        rounds: { type: "string" },
        publish: { type: "boolean" },
        list: { type: "boolean" },
      },
    });
  } catch (cause) {
    throw new BenchOptionError((cause as Error).message, { cause });
  }
}

function inRange(
  name: string,
  text: string | undefined,
  fallback: number,
  low: number,
  high: number,
): number {
  const value = text === undefined ? fallback : Number(text);
  if (value >= low && value <= high) return value;
  throw new BenchOptionError(`--${name} must be between ${low} and ${high}; got ${text}`);
}
