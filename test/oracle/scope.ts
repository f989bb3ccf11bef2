/** Lets what is made for tests be used outside of a test: cleans up when its work has ended. */
import type { TestContext } from "node:test";

/** Runs `work`, then what it registered with `after`, the last first. */
export async function inScope<T>(work: (scope: TestContext) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  const after = (end: () => unknown): void => void ends.unshift(end);
  try {
    return await work({ after } as unknown as TestContext);
  } finally {
    for (const end of ends) await end();
  }
}
