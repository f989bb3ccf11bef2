/** Runs contestants in turns (A B C A B C …), so that what else the machine does hits all of them alike. */
import type { RunningServer } from "../measure/processes.ts";
import type { Contestant, Setup } from "../servers/contestant.ts";
import type { Bench, Row } from "./workload.ts";

/** A contestant as it takes part in one workload: the same one may do so in several setups. */
export interface Entry {
  readonly id: string;
  readonly label: string;
  readonly contestant: Contestant;
  readonly setup: Setup;
}

export interface Turn {
  readonly entry: Entry;
  readonly server: RunningServer;
  /** How long to warm up before measuring: long for a fresh server (compilers need about 3 s), then short. */
  readonly warmUpMs: number;
}

type Values = Readonly<Record<string, number>>;

/** Every contestant of the run with the same setup. */
export function entriesFor(bench: Bench, setup: Setup, ids?: readonly string[]): Entry[] {
  return bench.contestants
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .map((contestant) => ({ id: contestant.id, label: contestant.label, contestant, setup }));
}

/**
 * Starts all entries, measures each once per round, ends them, and returns the medians.
 * An entry that fails keeps its row, with the reason; the others go on.
 */
export async function alternate(
  bench: Bench,
  entries: readonly Entry[],
  measure: (turn: Turn) => Promise<Values>,
): Promise<Row[]> {
  const running = new Map<Entry, RunningServer>();
  const measured = new Map<Entry, Values[]>(entries.map((entry) => [entry, []]));
  const problems = new Map<Entry, string>();
  const attempt = async (entry: Entry, act: () => Promise<void>): Promise<void> => {
    if (problems.has(entry)) return;
    await act().catch((error: Error) => {
      problems.set(entry, error.message);
      bench.progress(`${entry.label}: ${error.message}`);
    });
  };

  try {
    for (const entry of entries) {
      await attempt(entry, async () => {
        running.set(entry, await bench.processes.serve(entry.contestant.command(entry.setup)));
      });
    }
    for (let round = 0; round < bench.options.rounds; round++) {
      for (const entry of entries) {
        bench.progress(`round ${round + 1} of ${bench.options.rounds}: ${entry.label}`);
        const warmUpMs = round === 0 ? bench.options.warmUpMs : bench.options.warmUpMs / 3;
        await attempt(entry, async () => {
          measured.get(entry)!.push(await measure({ entry, server: running.get(entry)!, warmUpMs }));
        });
      }
    }
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
  return entries.map((entry) => rowOf(entry, measured.get(entry)!, problems.get(entry)));
}

function rowOf(entry: Entry, samples: readonly Values[], problem: string | undefined): Row {
  const row = { id: entry.id, label: entry.label, family: entry.contestant.family };
  if (problem !== undefined) return { ...row, values: {}, problem };
  return { ...row, values: mediansOf(samples) };
}

/** The median of each key over all samples. Errors are added up instead: one is worth knowing of. */
export function mediansOf(samples: readonly Values[]): Record<string, number> {
  const keys = Object.keys(samples[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => {
      const all = samples.map((sample) => sample[key] ?? Number.NaN);
      return [key, key === "errors" ? all.reduce((a, b) => a + b, 0) : medianOf(all)];
    }),
  );
}

/** The middle value, or the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
