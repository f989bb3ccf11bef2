/** The last steps of a stop: flushing and closing what workers and the process hold, each within its share of the time. */
import type { StepFailure } from "../lifecycle/phases.ts";
import type { LifeFailure } from "../pool/control-messages.ts";
import type { LaneWorker } from "../pool/lane-worker.ts";
import type { ResourceReport } from "../state/messages.ts";
import type { Parts } from "./parts.ts";

/** A worker's answer is due this long before it is given up, in ms. */
const answerMarginMs = 50;
/** How long threads may take to end when they have nothing left to do, in ms. */
const threadEndMs = 200;
/** What flushing leaves to closing is a fifth of what is left, and no more than this, in ms. */
const closingMs = 300;
/** Workers' part of what is left, where there are process resources to be flushed behind them. */
const workersPart = 2 / 3;

/**
 * Has workers flush and close, then the process resources flush.
 *
 * @param cutWorkers workers that were terminated: their resources had no chance to flush
 * @param leftMs what is left until the deadline, in ms
 */
export async function flushAll(
  parts: Parts,
  cutWorkers: readonly LaneWorker[],
  leftMs: () => number,
): Promise<StepFailure[]> {
  const { pool, state, clock } = parts;
  const failures = unflushed(parts, cutWorkers);
  // A worker's resource that hangs must leave the process resources, and the closing phase, their time.
  const workersMs = (state?.alive ? workersPart : 1) * beforeClosing(leftMs());
  const workersUntilMs = clock.now() + workersMs;
  failures.push(...(await askWorkers(parts, "flush", beforeClosing(workersMs))));
  // What flushing did not need is theirs too.
  failures.push(...(await askWorkers(parts, "close", workersUntilMs - clock.now())));
  if (state !== undefined) {
    failures.push(...(await resourceFailures("flush", state.flush(beforeClosing(leftMs())))));
  }
  if (pool.background > 0)
    failures.push({ part: "background", cause: new Error(`${pool.background} promises never settled`) });
  return failures;
}

/** Closes the process resources and ends all worker threads. */
export async function closeThreads(
  { state, stateStart, pool }: Parts,
  leftMs: number,
): Promise<{ readonly failures: StepFailure[]; readonly stuck: number }> {
  if (state === undefined) stateStart.abort();
  const closing = state === undefined ? [] : resourceFailures("close", state.close(leftMs));
  const [failures, stuck] = await Promise.all([closing, pool.destroy(Math.min(threadEndMs, leftMs))]);
  return { failures, stuck };
}

/** What `work` gives, or `late` when it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, ms, late);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function unflushed({ pool }: Parts, cutWorkers: readonly LaneWorker[]): StepFailure[] {
  const resources = pool.services.flatMap(({ name, flushes }) => flushes.map((what) => `${name}.${what}`));
  return cutWorkers.flatMap(({ index }) =>
    resources.map((resource) => ({
      part: `${resource} of worker ${index}`,
      cause: new Error("its worker was terminated before it could flush"),
    })),
  );
}

async function askWorkers(
  { pool }: Parts,
  step: "flush" | "close",
  withinMs: number,
): Promise<StepFailure[]> {
  const late: LifeFailure[] = [{ service: "", what: step, message: `a worker did not ${step} in time` }];
  // The workers answer before that, unless something keeps their threads.
  const answerMs = Math.max(withinMs * 0.8, withinMs - answerMarginMs);
  const failures = await within(withinMs, pool.ask(step, answerMs), late);
  return failures.map(({ service, what, message }) => ({
    part: service === "" ? what : `${service}.${what}`,
    cause: new Error(message),
  }));
}

async function resourceFailures(step: string, asked: Promise<ResourceReport>): Promise<StepFailure[]> {
  try {
    const { failed, timedOut } = await asked;
    const failures = failed.map(({ service, resource, message }) => ({
      part: `${service}.${resource}`,
      cause: new Error(message),
    }));
    if (timedOut) failures.push({ part: "state thread", cause: new Error(`it did not ${step} in time`) });
    return failures;
  } catch (cause) {
    return [{ part: "state thread", cause }];
  }
}

/** What flushing may take of what is left, in ms. */
function beforeClosing(leftMs: number): number {
  return leftMs - Math.min(closingMs, leftMs / 5);
}
