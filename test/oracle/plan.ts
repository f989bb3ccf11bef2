/** What one seed means: how the server is set, who calls it, what the calls do, when and how it is stopped. */
import { Random } from "./random.ts";

export const clientKinds = [
  "sequential",
  "pipelined",
  "oneway",
  "dribbling",
  "half-closing",
  "disconnecting",
  "unpausing",
  "idle",
  "late",
  "partial",
] as const;

/**
 * How a client behaves.
 * - `sequential`: waits for each reply. `pipelined`: several calls in one write. `oneway`: mostly oneways, also sent as
 *   CALL. `dribbling`: byte by byte. `half-closing`: sends FIN and reads on. `disconnecting`: leaves in the middle.
 *   `unpausing`: calls until it is told to stop. `idle`: never calls. `late`: connects around the stop.
 *   `partial`: half a message before the stop and the rest after it.
 */
export type ClientKind = (typeof clientKinds)[number];

export interface ClientPlan {
  readonly id: number;
  readonly kind: ClientKind;
  readonly framed: boolean;
  readonly random: Random;
  /** When it connects, in ms from the start of the run. */
  readonly connectAtMs: number;
}

export interface SeedPlan {
  readonly seed: number;
  readonly args: readonly string[];
  readonly graceMs: number;
  readonly replyOrder: "request" | "any";
  readonly clients: readonly ClientPlan[];
  /** Calls that hurt: each is made once, by a client of its own. */
  readonly hurts: readonly { readonly steps: string; readonly atMs: number }[];
  /** The stop, in ms from the start of the run, and what follows it. */
  readonly stop: {
    readonly atMs: number;
    readonly by: "SIGTERM" | "POST";
    /** A second request, so long after the first. */
    readonly again: { readonly by: "SIGTERM" | "POST"; readonly afterMs: number } | undefined;
  };
  /** Whether calls may be cut at all. */
  readonly mayCut: boolean;
}

/** The plan of a seed. */
export function planOf(seed: number): SeedPlan {
  const random = new Random(seed);
  const graceMs = random.int(1800, 3000);
  const lameDuckMs = random.chance(0.4) ? random.int(20, 200) : 0;
  const callGraceMs = random.chance(0.3) ? random.int(100, 800) : undefined;
  const replyOrder = random.chance(0.25) ? "any" : "request";
  const stopAtMs = random.int(30, 400);
  const hurts = hurtsOf(random, stopAtMs);
  const again = random.chance(0.3)
    ? { by: random.pick(["SIGTERM", "POST"] as const), afterMs: random.int(1, 300) }
    : undefined;
  const by = random.chance(0.75) ? "SIGTERM" : "POST";
  const args = [
    `--grace=${graceMs}ms`,
    `--lame-duck=${lameDuckMs}ms`,
    `--quiet=${random.int(40, 200)}ms`,
    `--busy-close=${random.int(200, 700)}ms`,
    `--reserve=${random.int(400, 600)}ms`,
    ...(callGraceMs === undefined ? [] : [`--call-grace=${callGraceMs}ms`]),
    `--reply-order=${replyOrder}`,
    `--workers=${random.pick([2, 2, 2, 3])}`,
  ];
  return {
    seed,
    args,
    graceMs,
    replyOrder,
    clients: clientsOf(random, stopAtMs),
    hurts,
    stop: { atMs: stopAtMs, by, again },
    mayCut: hurts.length > 0 || callGraceMs !== undefined || again?.by === "SIGTERM",
  };
}

function hurtsOf(random: Random, stopAtMs: number): { steps: string; atMs: number }[] {
  if (random.chance(0.5)) return [];
  return Array.from({ length: random.int(1, 2) }, () => ({
    steps: random.pick(["spin -1", "sleep 60000", "exit", "throw", "sleep 5 exit", "tick 3 spin -1"]),
    atMs: random.int(0, stopAtMs + 100),
  }));
}

function clientsOf(random: Random, stopAtMs: number): ClientPlan[] {
  return Array.from({ length: random.int(6, 16) }, (_, id) => {
    const kind =
      id < 3 ? random.pick(["sequential", "pipelined", "oneway"] as const) : random.pick(clientKinds);
    const connectAtMs = kind === "late" ? stopAtMs + random.int(-10, 40) : random.int(0, 30);
    return { id, kind, framed: random.chance(0.5), random: random.branch(), connectAtMs };
  });
}

/** What one ordinary call does: mostly nothing, sometimes something long, large or synchronous. */
export function stepsOf(random: Random): string {
  const steps: readonly [share: number, steps: () => string][] = [
    [0.45, () => ""],
    [0.15, () => ` tick ${random.int(1, 12)}`],
    [0.15, () => ` sleep ${random.int(1, 30)}`],
    [0.1, () => ` spin ${random.int(1, 10)}`],
    [0.05, () => ` sleep ${random.int(100, 400)}`],
    [0.02, () => ` spin ${random.int(20, 80)}`],
    [0.04, () => ` grow ${random.int(1000, 100_000)}`],
    [0.01, () => ` grow ${random.int(300_000, 600_000)}`],
    [0.02, () => ` pad ${"p".repeat(random.int(1000, 50_000))}`],
    [0.01, () => ` pad ${"p".repeat(random.int(270_000, 400_000))}`],
  ];
  let left = random.next();
  for (const [share, make] of steps) {
    left -= share;
    if (left < 0) return make();
  }
  return "";
}
