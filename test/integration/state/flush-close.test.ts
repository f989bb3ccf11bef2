import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createRig, type Rig } from "./state-rig.ts";

const clean = { failed: [], timedOut: false };

const flushesOfFirst = (rig: Rig): string[] => rig.notes().filter((note) => note.startsWith("first flush"));

describe("a flush", () => {
  // The state thread is kept busy meanwhile, so that the flush waits beside the calls and could overtake them.

  it("comes behind all that a worker posted, when main flushes at once", async () => {
    await using rig = await createRig();
    const blocked = rig.proxy("second")["block"]?.(500);
    const worker = await rig.startWorker({ kind: "burst", method: "add", count: 20_000 });
    assert.deepEqual(await rig.thread.flush(5_000), clean);
    assert.equal(flushesOfFirst(rig).at(-1), "first flush 20000");
    await blocked;
    await worker.terminate();
  });

  it("comes behind all that terminated workers posted", async () => {
    await using rig = await createRig();
    for (let round = 1; round <= 3; round++) {
      const blocked = rig.proxy("second")["block"]?.(500);
      const worker = await rig.startWorker({ kind: "burst", method: "add", count: 20_000 });
      await worker.terminate();
      assert.deepEqual(await rig.thread.flush(5_000), clean);
      assert.equal(flushesOfFirst(rig).at(-1), `first flush ${round * 20_000}`);
      await blocked;
    }
  });

  it("comes behind calls that are still running, those of a terminated worker too", async () => {
    await using rig = await createRig();
    const worker = await rig.startWorker({ kind: "burst", method: "later", count: 5_000 });
    await worker.terminate();
    assert.deepEqual(await rig.thread.flush(5_000), clean);
    assert.equal(flushesOfFirst(rig).at(-1), "first flush 5000");
  });

  it("runs in reverse order of opening, and so does the close", async () => {
    await using rig = await createRig();
    await rig.thread.flush(1_000);
    await rig.thread.close(1_000);
    assert.deepEqual(rig.notes().slice(3), [
      "third flush 0",
      "second flush 0",
      "first flush 0",
      "third close",
      "second close",
      "first close",
    ]);
    assert.deepEqual(rig.deaths, []);
  });

  it("that fails in one resource flushes the others and names the one; the close likewise", async () => {
    await using rig = await createRig({ "second.flush": "throw", "third.close": "throw" });
    assert.deepEqual(await rig.thread.flush(1_000), {
      failed: [{ service: "Counting", resource: "second", message: "no flush today" }],
      timedOut: false,
    });
    const closed = await rig.thread.close(1_000);
    assert.deepEqual(closed.failed, [{ service: "Counting", resource: "third", message: "no close today" }]);
    assert.deepEqual(rig.notes().slice(3), ["third flush 0", "first flush 0", "second close", "first close"]);
  });

  it("that hangs in one resource ends in time, and leaves the others theirs", async () => {
    await using rig = await createRig({ "third.flush": "hang" });
    const startMs = performance.now();
    const report = await rig.thread.flush(300);
    assert.ok(performance.now() - startMs < 600);
    assert.equal(report.timedOut, true);
    assert.deepEqual(
      report.failed.map(({ resource }) => resource),
      ["third"],
    );
    assert.deepEqual(rig.notes().slice(3), ["second flush 0", "first flush 0"]);
  });

  it("does not wait for a call that never settles beyond its time", async () => {
    await using rig = await createRig();
    const worker = await rig.startWorker({ kind: "wait", method: "never", count: 1 });
    assert.deepEqual(await rig.thread.flush(200), { failed: [], timedOut: true });
    assert.equal(flushesOfFirst(rig).length, 2);
    await worker.terminate();
  });
});

describe("the death of the state thread", () => {
  it("is told once, and fails every call that waits or comes later", async () => {
    await using rig = await createRig();
    const worker = await rig.startWorker({ kind: "wait", method: "never", count: 1 });
    const told = once(worker, "message");
    const first = rig.proxy("first");
    const flushing = rig
      .proxy("second")
      ["die"]?.()
      .then(() => rig.thread.flush(5_000));
    await Promise.all([
      assert.rejects(first["never"]?.() as Promise<unknown>, { code: "SLUICE_STATE_GONE" }),
      assert.rejects(flushing as Promise<unknown>, {
        code: "SLUICE_STATE_DIED",
        message: /killed by the test/,
      }),
    ]);
    assert.deepEqual(await told, ["SLUICE_STATE_GONE"]);
    await assert.rejects(first["add"]?.(1) as Promise<unknown>, { code: "SLUICE_STATE_GONE" });
    await assert.rejects(rig.proxy("first")["add"]?.(1) as Promise<unknown>, { code: "SLUICE_STATE_GONE" });
    await assert.rejects(rig.thread.flush(100), { code: "SLUICE_STATE_DIED" });
    await assert.rejects(rig.thread.close(100), { code: "SLUICE_STATE_DIED" });
    assert.equal(rig.deaths.length, 1);
    assert.equal(rig.thread.alive, false);
    await worker.terminate();
  });
});
