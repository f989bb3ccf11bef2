/** Bounds on time, on a machine that others use too. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { TestContext } from "node:test";

const most = 3;
/** A timer of this process that is later than this shows that the machine had no time for anybody, in ms. */
const stallMs = 40;

/**
 * Measures something that must be in time. A measurement that is too long fails the test, unless this process,
 * which has nothing to do meanwhile, was kept waiting too: then it says nothing, and is made anew.
 *
 * @param measure makes one measurement and says what was too long in it, or undefined. What else it asserts must
 *   hold every time
 * @throws with what was too long
 */
export async function inTime(t: TestContext, measure: () => Promise<string | undefined>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const late = await measure();
    delay.disable();
    if (late === undefined) return;
    const stalledMs = delay.max / 1e6;
    if (stalledMs < stallMs || attempt === most)
      throw new Error(`too long: ${late} (stalled ${stalledMs} ms)`);
    t.diagnostic(`void: ${late}, but this process was kept waiting ${stalledMs} ms itself`);
  }
}
