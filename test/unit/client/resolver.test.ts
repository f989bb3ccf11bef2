import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Resolver } from "../../../src/client/resolver.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

interface Rig {
  readonly clock: FakeClock;
  /** What was found, in its order. */
  readonly found: string[];
  readonly failed: string[];
  /** Questions that are not answered. */
  readonly open: PromiseWithResolvers<string[]>[];
}

function rigOf(t: TestContext): Rig {
  const clock = new FakeClock();
  const rig: Rig = { clock, found: [], failed: [], open: [] };
  const ask = (): Promise<string[]> => {
    const question = Promise.withResolvers<string[]>();
    rig.open.push(question);
    return question.promise;
  };
  const resolver = new Resolver(ask, {
    clock,
    refreshMs: 1000,
    found: (addresses) => void rig.found.push(addresses.map(({ name }) => name).join()),
    failed: (error) => void rig.failed.push((error as Error).message),
  });
  t.after(() => {
    resolver.stop();
    assert.equal(clock.pending, 0, "no timer is left");
  });
  return rig;
}

test("a function is asked anew after each answer, sooner while none was any good", async (t) => {
  const { clock, found, failed, open } = rigOf(t);
  open[0]!.reject(new Error("away"));
  await nextTurn();
  clock.advance(250);
  open[1]!.resolve([]);
  await nextTurn();
  clock.advance(250);
  open[2]!.resolve(["a:1"]);
  await nextTurn();
  clock.advance(999);
  assert.equal(open.length, 3);
  clock.advance(1);
  assert.equal(open.length, 4);
  assert.deepEqual([found, failed], [["a:1"], ["away", "createClient: there are no endpoints"]]);
});

test("one that hangs is asked again; a late answer counts unless a later question was answered", async (t) => {
  const { clock, found, failed, open } = rigOf(t);
  clock.advance(10_250);
  assert.equal(open.length, 2);
  assert.match(failed[0]!, /no endpoints were found within 10000 ms/);
  open[0]!.resolve(["late:1"]);
  await nextTurn();
  assert.deepEqual(found, ["late:1"]);
  open[1]!.resolve(["b:1"]);
  await nextTurn();
  clock.advance(1000 + 10_000 + 1000);
  assert.equal(open.length, 4);
  open[3]!.resolve(["d:1"]);
  await nextTurn();
  open[2]!.resolve(["c:1"]);
  await nextTurn();
  assert.deepEqual(found, ["late:1", "b:1", "d:1"]);
  clock.advance(1000);
  assert.equal(open.length, 5, "one question at a time");
});

test("a function that gives one address instead of a list is understood", async (t) => {
  const { found, open } = rigOf(t);
  open[0]!.resolve("a:1" as never);
  await nextTurn();
  assert.deepEqual(found, ["a:1"]);
});
