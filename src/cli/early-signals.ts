/** Keeps signals that come before the server has taken over, while its code is still being loaded. */

const stopSignals = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;

/** Signals that are kept. */
export interface EarlySignals {
  /**
   * Hands what came to the listeners that were added in the meantime, and keeps no more. To be called right after the
   * server has added its own.
   */
  handOver(): void;
}

/**
 * Begins to keep signals. Without it, a SIGTERM during the first moments would end the process with 143, or, when it
 * is process 1 of a container, do nothing at all until the supervisor kills it.
 */
export function keepEarlySignals(): EarlySignals {
  const kept: NodeJS.Signals[] = [];
  const keep = (signal: NodeJS.Signals): void => {
    kept.push(signal);
  };
  for (const signal of stopSignals) {
    process.on(signal, keep);
  }
  return {
    handOver() {
      for (const signal of stopSignals) {
        process.off(signal, keep);
      }
      for (const signal of kept) {
        process.emit(signal, signal);
      }
    },
  };
}
