/** A few seeds of the oracle. Many more: `soak.ts`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runSeed } from "./oracle.ts";

const seeds: readonly number[] = Array.from({ length: 15 }, (_, at) => at + 1);

describe("a drain under random clients", { concurrency: 3 }, () => {
  for (const seed of seeds) {
    it(`keeps every promise with seed ${seed}`, async () => {
      const { violations } = await runSeed(seed);
      const again = `node --conditions=sluice-source test/oracle/oracle.ts --seed ${seed}`;
      assert.deepEqual(violations, [], `again with: ${again}`);
    });
  }
});
