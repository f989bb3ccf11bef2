/**
 * Keeps signals that come before the server listens for them, while its code is still being loaded. Without it, a
 * SIGTERM in the first moments would end the process with 143, or, when it is process 1 of a container, do nothing at
 * all until the supervisor kills it. Plain JavaScript, for loading the means to run TypeScript takes the longest.
 */

const stopSignals = ["SIGTERM", "SIGINT", "SIGQUIT"];

/**
 * Begins to keep signals.
 *
 * @returns {() => void} hands what came to the listeners that were added in the meantime, and keeps no more. To be
 *   called right after the server has added its own.
 */
export function keepSignals() {
  const kept = [];
  const keep = (signal) => kept.push(signal);
  for (const signal of stopSignals) {
    process.on(signal, keep);
  }
  return () => {
    for (const signal of stopSignals) {
      process.off(signal, keep);
    }
    for (const signal of kept.splice(0)) {
      process.emit(signal, signal);
    }
  };
}
