/** A few rounds of each torture. The long runs: `node --conditions=sluice-source test/fault/torture.ts`. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { withoutPostgres } from "../support/postgres.ts";
import { type Ending, tortureOneServer } from "./one-server.ts";
import { tortureReplicas } from "./replicas.ts";

/** Another one each time; a failing one is named by the diagnostic, and comes again with `--seed`. */
const seed = Number(process.env["SLUICE_SEED"] ?? Date.now() % 1_000_000);

const bounded = { timeout: 100_000 };

// They wait for processes most of the time: side by side.
describe("a ledger server loses no receipt", { concurrency: 2 }, () => {
  const endings: readonly (readonly [Ending, rounds: number, what: string])[] = [
    ["sigkill", 3, "when it is killed at a random moment"],
    ["state-death", 1, "when its state thread dies: calls fail, and it stops with exit 4"],
    ["sigstop", 1, "when it stands still for 3 s: it goes on, and no call fails"],
    ["sigterm", 1, "when it is told to stop, and then nothing that was tracked either"],
  ];
  for (const [ending, rounds, what] of endings) {
    it(what, bounded, async (t: TestContext) => {
      t.diagnostic(`--variant ${ending} --seed ${seed}`);
      const result = await tortureOneServer({ ending, rounds, seed, tell: (text) => t.diagnostic(text) });
      assert.ok(result.receipts > 0);
    });
  }
});

describe("several replicas on one PostgreSQL", () => {
  const what = "keep every id once while they are killed, drained and stopped, and the database is restarted";
  it(what, { ...bounded, skip: withoutPostgres }, async (t: TestContext) => {
    t.diagnostic(`--variant replicas-3 --seed ${seed}`);
    const tell = (text: string): void => t.diagnostic(text);
    const { receipts } = await tortureReplicas({ replicas: 3, rounds: 4, seed, tell });
    assert.ok(receipts > 0);
  });
});
