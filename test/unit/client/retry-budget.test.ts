import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, RetryBudget } from "../../../src/client/retry-budget.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

function drainOf(budget: RetryBudget): number {
  let count = 0;
  while (budget.withdraw()) count++;
  return count;
}

test("a share of the calls may be repeated, and so many each second", () => {
  const clock = new FakeClock();
  const budget = new RetryBudget(clock, { share: 0.25, perSecond: 2, most: 10 });
  assert.equal(drainOf(budget), 10, "what there is at first");
  for (let call = 0; call < 20; call++) budget.deposit();
  assert.equal(drainOf(budget), 5);
  clock.advance(1500);
  assert.equal(drainOf(budget), 3);
  clock.advance(3_600_000);
  assert.equal(drainOf(budget), 10, "no more than `most` is saved up");
});

test("pauses double up to a limit, and are drawn at random below it", () => {
  const most = [0, 1, 2, 3, 10, 1000].map((round) => backoffMs(round, 20, 1000, () => 1));
  assert.deepEqual(most, [20, 40, 80, 160, 1000, 1000]);
  assert.equal(
    backoffMs(3, 20, 1000, () => 0),
    0,
  );
});
