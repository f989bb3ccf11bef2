/** Steps of an end (flush this, close that), one after the other, of which none keeps the next from its turn. */

/** One step. */
export interface LifeStep {
  readonly service: string;
  /** The resource's name, or "handler". */
  readonly what: string;
  readonly run: () => unknown;
}

/** A step that failed or did not end in time. */
export interface FailedStep {
  readonly service: string;
  readonly what: string;
  readonly message: string;
}

/** Runs the steps. Each may take an even share of the time that is left, so that one that hangs leaves the rest theirs. */
export async function runSteps(
  steps: readonly LifeStep[],
  withinMs: number,
): Promise<{ readonly failed: readonly FailedStep[]; readonly timedOut: boolean }> {
  const deadlineMs = performance.now() + withinMs;
  const failed: FailedStep[] = [];
  let timedOut = false;
  for (const [at, { service, what, run }] of steps.entries()) {
    const shareMs = Math.max(0, (deadlineMs - performance.now()) / (steps.length - at));
    const message = await settleWithin(shareMs, run);
    if (message === undefined) continue;
    if (message === hung) timedOut = true;
    const text = message === hung ? `did not finish within ${Math.round(shareMs)} ms` : message;
    failed.push({ service, what, message: text });
  }
  return { failed, timedOut };
}

const hung: unique symbol = Symbol("hung");

/** Undefined when the step succeeds in time, its error's message when it fails, `hung` when it does neither. */
async function settleWithin(ms: number, run: () => unknown): Promise<string | typeof hung | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<typeof hung>((resolve) => {
      timer = setTimeout(resolve, ms, hung);
    });
    return await Promise.race([Promise.resolve(run()).then(() => undefined), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
