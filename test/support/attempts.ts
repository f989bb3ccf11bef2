/** Timing that other load on the machine may lengthen, and nothing can shorten. */
import type { TestContext } from "node:test";

const most = 3;

/**
 * Measures anew while it takes too long, three times at most. What waits where it must not is too long every time; what
 * only had to share the processor is not. Whatever else `measure` asserts must hold every time.
 *
 * @param measure makes one measurement and says what was too long in it, or undefined
 * @throws with what was too long in every attempt
 */
export async function inTime(t: TestContext, measure: () => Promise<string | undefined>): Promise<void> {
  const late: string[] = [];
  while (late.length < most) {
    const found = await measure();
    if (found === undefined) return;
    late.push(found);
    t.diagnostic(`attempt ${late.length}: ${found}`);
  }
  throw new Error(`too long every time: ${late.join("; ")}`);
}
