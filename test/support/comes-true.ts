/** Waits for what the event loop does by itself. */
import { setImmediate as nextTurn } from "node:timers/promises";

const longestMs = 5000;

/** Resolves when `over` is true, looking once a turn. @throws when it is not within 5 s */
export async function comesTrue(over: () => boolean, what: string): Promise<void> {
  for (const fromMs = performance.now(); !over(); ) {
    if (performance.now() - fromMs > longestMs) throw new Error(`${what}: not within ${longestMs} ms`);
    await nextTurn();
  }
}
