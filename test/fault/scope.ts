/** Stands for a test's context where there is no test: what has to be undone, last first. */
import type { TestContext } from "node:test";

export interface Scope extends AsyncDisposable {
  /** For what is written for tests. It knows `after` only. */
  readonly t: TestContext;
}

export function createScope(): Scope {
  const undo: (() => unknown)[] = [];
  return {
    t: { after: (step: () => unknown) => void undo.push(step) } as unknown as TestContext,
    [Symbol.asyncDispose]: async () => {
      for (const step of undo.toReversed()) await step();
    },
  };
}
