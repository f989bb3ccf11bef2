/** The one source of time. Everything in this folder reads time from here, so that tests never wait. */

/** One pending timer. */
export interface Timer {
  /** Forgets the timer. Harmless when it has fired or was cancelled already. */
  cancel(): void;
}

/** Monotonic time and timers against it. */
export interface Clock {
  /** Milliseconds on a scale that never goes back and has no meaning outside the process. */
  now(): number;
  /**
   * Calls `fire` once, when `now()` has reached `atMs`: never earlier, and never inside this call, even if
   * `atMs` has passed. A pending timer keeps the process alive.
   */
  setTimer(atMs: number, fire: () => void): Timer;
}

/** The longest delay that `setTimeout` takes; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The real clock, `performance.now()`. In Node that counts from the start of the process in every thread, workers
 * included (a test holds Node to it), so workers may compare their own readings with deadlines of the main thread.
 */
export function createSystemClock(): Clock {
  const now = (): number => performance.now();
  return {
    now,
    setTimer(atMs: number, fire: () => void): Timer {
      let timeout: NodeJS.Timeout;
      // setTimeout counts in whole milliseconds of the loop's own time and may so fire a little early.
      const check = (): void => {
        if (now() >= atMs) fire();
        else arm();
      };
      const arm = (): void => {
        const delayMs = Math.min(Math.max(0, Math.ceil(atMs - now())), LONGEST_TIMEOUT_MS);
        timeout = setTimeout(check, delayMs);
      };
      arm();
      return { cancel: () => clearTimeout(timeout) };
    },
  };
}
