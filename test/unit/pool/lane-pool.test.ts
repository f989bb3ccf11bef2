import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { guardAborted, largestInRingBytes, Slot, slotCount } from "../../../src/pool/lane-layout.ts";
import { createCall, createMethod, createRun, FakeCaller } from "../calls/fakes.ts";
import { PoolRig } from "./pool-rig.ts";

const bounded = { timeout: 30_000 };

describe("a pool of lanes", bounded, () => {
  it("runs calls and gives each its own reply", async (t) => {
    const rig = await new PoolRig(t).start();
    const texts = Array.from({ length: 500 }, (_, at) => `call-${at}`);
    assert.deepEqual(await rig.texts(rig.submit(texts)), texts);
    assert.equal(rig.pool.running, 0);
    assert.deepEqual(
      rig.pool.status().map(({ state, inFlight }) => [state, inFlight]),
      [
        ["ready", 0],
        ["ready", 0],
      ],
    );
  });

  it("takes large replies among small ones, whatever wakes it while it takes them", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    for (let round = 0; round < 20; round++) {
      const calls = rig.submit([
        "a",
        `large:${largestInRingBytes + 1 + round}`,
        "b",
        `large:${2 ** 20}`,
        "c",
      ]);
      // Replies and wake-ups gather while this thread is busy; then both are there at once.
      const untilMs = performance.now() + 5;
      while (performance.now() < untilMs);
      for (const worker of rig.pool.workers) worker.drain();
      const texts = await rig.texts(calls);
      assert.deepEqual(
        texts.map((text) => text.length),
        [1, largestInRingBytes + 1 + round, 1, 2 ** 20, 1],
      );
    }
    assert.deepEqual(
      [...rig.fates.values()].filter(({ length }) => length !== 1),
      [],
    );
  });

  it("has everybody see a published value in calls that come after the publishing resolved", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    assert.deepEqual(await rig.texts(rig.submit(["published"])), ["nothing"]);
    assert.deepEqual(await rig.texts(rig.submit(["publish:news"])), ["published"]);
    const seen = [...rig.submit(["stand"]), ...rig.submit(["published", "published"])];
    await rig.standing();
    rig.open();
    assert.deepEqual((await rig.texts(seen)).slice(1), ["news", "news"]);
  });

  it("gives a replacement the value that was published before it was born", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    await rig.texts(rig.submit(["publish:news"]));
    await rig.texts(rig.submit(["exit"]));
    assert.deepEqual(await rig.texts(rig.submit(["published"])), ["news"]);
  });
});

describe("the death of a worker", bounded, () => {
  for (const how of ["exit", "throw"]) {
    it(`(${how}) tells of the calls that had started, and runs the others elsewhere or later`, async (t) => {
      const rig = await new PoolRig(t, { workers: 1 }).start();
      const before = rig.submit(["done", "never"]);
      assert.deepEqual(await rig.texts(before.slice(0, 1)), ["done"]);
      const calls = rig.submit(["answered", how, "behind-1", "behind-2"]);
      assert.deepEqual(await rig.texts(calls), ["answered", "died", "behind-1", "behind-2"]);
      assert.deepEqual(await rig.texts(before), ["done", "died"]);
      assert.deepEqual(
        [...rig.fates.values()].filter(({ length }) => length !== 1),
        [],
      );
      assert.equal(rig.pool.status()[0]!.restarts, 1);
      assert.deepEqual(
        rig.logged
          .filter(({ level }) => level === "error")
          .map(({ fields }) => [fields!["cut"], fields!["takenBack"]]),
        [[2, 2]],
      );
    });
  }

  it("leaves the calls on other workers alone", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    const [stands] = rig.submit(["stand"]);
    await rig.standing();
    const [dies] = rig.submit(["exit"]);
    assert.deepEqual(await rig.texts([dies!]), ["died"]);
    rig.open();
    assert.match((await rig.texts([stands!]))[0]!, /^stood on/);
  });

  it("is overcome again and again", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    for (let round = 0; round < 5; round++) {
      const calls = rig.submit(["before", "exit", "after"]);
      assert.deepEqual(await rig.texts(calls), ["before", "died", "after"], `round ${round}`);
    }
    const restarts = (): number => rig.pool.status().reduce((sum, { restarts }) => sum + restarts, 0);
    // The other worker may have answered the last call before this one is replaced.
    while (restarts() < 5) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(restarts(), 5);
  });

  it("is not overcome in a stop: what has not started is told to be unservable", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    rig.pool.stopReplacing();
    const calls = rig.submit(["exit", "behind"]);
    assert.deepEqual(await rig.texts(calls), ["died", "unservable"]);
    assert.deepEqual(await rig.texts(rig.submit(["late"])), ["unservable"]);
  });

  it("lets a start fail with the module's own words", async (t) => {
    const rig = new PoolRig(t, { workers: 2, failFirst: "loaded" });
    await assert.rejects(rig.pool.loaded(), /this module can't be loaded/);
  });

  it("lets a start fail when a factory fails", async (t) => {
    const rig = new PoolRig(t, { workers: 2, failFirst: "ready" });
    await assert.rejects(rig.start(), /this factory fails/);
  });
});

describe("a worker that stands in a long synchronous call", bounded, () => {
  it("loses the calls behind it to workers that move", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    const [stands, ...behind] = rig.submit(["stand", "1", "2", "3"]);
    await rig.standing();
    assert.deepEqual(await rig.texts(behind), ["1", "2", "3"]);
    assert.equal(rig.fates.has(stands!), false, "while it stood");
    assert.ok(rig.pool.status().some(({ state }) => state === "standing"));
    rig.open();
    assert.match((await rig.texts([stands!]))[0]!, /^stood on/);
    assert.deepEqual(
      [...rig.fates.values()].filter(({ length }) => length !== 1),
      [],
    );
  });

  it("gets none of the calls that come later", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    rig.submit(["stand", "1"]);
    const lane = await rig.standing();
    for (let round = 0; round < 50; round++) {
      assert.deepEqual(await rig.texts(rig.submit(["lane"])), [String(1 - lane)]);
    }
  });

  it("keeps its calls when all stand, and they run as soon as one moves", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    const stand = [...rig.submit(["stand"]), ...rig.submit(["stand"])];
    await rig.standing();
    await rig.standing();
    const calls = rig.submit(["1", "2"]);
    rig.open();
    assert.deepEqual(await rig.texts(calls), ["1", "2"]);
    await rig.texts(stand);
  });

  it("can be terminated, and what it had started is told to have died", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const calls = rig.submit(["stand", "behind"]);
    await rig.standing();
    rig.pool.stopReplacing();
    assert.equal(await rig.pool.terminate(rig.pool.workers[0]!, 2000), true);
    assert.deepEqual(await rig.texts(calls), ["died", "unservable"]);
  });
});

describe("room", bounded, () => {
  it("is found with another worker when one has no slot left", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    // Calls that wait for something take a slot each and no time.
    rig.submit(Array(slotCount).fill("never"));
    const startedAll = (): boolean => rig.pool.running === slotCount;
    while (!startedAll()) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await rig.texts(rig.submit(["elsewhere"])), ["elsewhere"]);
    assert.equal(rig.pool.waiting, 0);
  });

  it("is told of once nothing waits any more, when a worker made it by working", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const calls = rig.submit(Array(slotCount + 100).fill("x"));
    assert.equal(rig.pool.waiting, 100);
    assert.equal(rig.rooms, 0);
    await rig.texts(calls);
    assert.equal(rig.pool.waiting, 0);
    assert.ok(rig.rooms >= 1);
  });

  it("is told of too when those that waited were withdrawn", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const calls = rig.submit(["stand", ...Array(slotCount).fill("x")]);
    await rig.standing();
    assert.equal(rig.pool.waiting, 1);
    assert.equal(rig.pool.withdraw(calls.at(-1)!), true);
    assert.equal(rig.pool.waiting, 0);
    while (rig.rooms === 0) await rig.something();
  });

  it("is told of too when those that waited were refused", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const calls = rig.submit(["stand", ...Array(slotCount).fill("x")]);
    await rig.standing();
    rig.pool.refuseUnstarted();
    assert.deepEqual(new Set(await rig.texts(calls.slice(1))), new Set(["unservable"]));
    while (rig.rooms === 0) await rig.something();
  });

  it("is waited for with bytes of one's own: those of the read are about to be used again", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    rig.submit(["stand", ...Array(slotCount - 1).fill("x")]);
    await rig.standing();
    const whole = createCall(Buffer.from("whole"));
    const parts = createRun([Buffer.from("one"), Buffer.from("two")]);
    for (const calls of [[whole], parts]) {
      const { bytes } = calls[0]!;
      rig.pool.submit(calls, calls.length);
      bytes!.fill("#");
    }
    assert.equal(rig.pool.waiting, 3);
    rig.open();
    assert.deepEqual(await rig.texts([whole, ...parts]), ["whole", "one", "two"]);
  });

  it("is told of too when a worker died and its calls went elsewhere", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const calls = rig.submit(["exit", ...Array(slotCount).fill("x")]);
    assert.equal(rig.pool.waiting, 1);
    await rig.texts(calls);
    while (rig.rooms === 0) await rig.something();
  });
});

describe("withdrawing a call", bounded, () => {
  it("keeps it from ever running, in a lane or before the lanes", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const calls = rig.submit(["stand", "in-lane", ...Array(slotCount).fill("x")]);
    await rig.standing();
    assert.equal(rig.pool.withdraw(calls[0]!), false, "it has started");
    assert.equal(rig.pool.withdraw(calls[1]!), true);
    assert.equal(rig.pool.withdraw(calls.at(-1)!), true);
    rig.open();
    await rig.texts(calls.filter((call) => call !== calls[1] && call !== calls.at(-1)));
    assert.equal(rig.fates.has(calls[1]!), false);
    assert.equal(rig.fates.has(calls.at(-1)!), false);
  });
});

describe("aborting a call", bounded, () => {
  it("shows in shared memory at once, where synchronous code sees it, unless the call is protected", async (t) => {
    const rig = await new PoolRig(t, { workers: 1 }).start();
    const [plain, guarded] = rig.submit(["never", "never"]);
    while (rig.pool.running < 2) await new Promise((resolve) => setImmediate(resolve));
    const { lane } = rig.pool.workers[0]!;
    lane.memory.slots[guarded!.slot * Slot.WORDS + Slot.GUARD] = 12_345;
    for (const call of [plain!, guarded!]) rig.pool.abort(call, "its deadline has passed");
    assert.equal(lane.guardOf(plain!), guardAborted);
    assert.equal(lane.guardOf(guarded!), 12_345);
  });
});

describe("order behind a oneway", bounded, () => {
  it("keeps a caller's later calls on the lane of its oneway until that has started", async (t) => {
    const rig = await new PoolRig(t, { workers: 2 }).start();
    const caller = new FakeCaller(() => {});
    rig.submit(["stand", "x", "x"]);
    const lane = await rig.standing();
    const oneway = createCall(Buffer.from("lane"), caller, createMethod({ oneway: true }));
    rig.pool.submit([oneway], 1);
    const later = rig.submit(["lane", "lane"], caller);
    const [first, ...rest] = await rig.texts([oneway, ...later]);
    assert.notEqual(first, String(lane));
    for (const text of rest) assert.equal(text, first);
  });
});
