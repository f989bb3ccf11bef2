/** The one real clock. These tests wait for real timers, of a few milliseconds, because that is what they test. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { createSystemClock } from "../../../src/lifecycle/clock.ts";
import { FakeClock } from "./fake-clock.ts";

describe("the system clock", () => {
  test("fires not before its time by its own reading", async () => {
    const clock = createSystemClock();
    for (const delayMs of [0.2, 1.7, 3, 4.4]) {
      const atMs = clock.now() + delayMs;
      const firedAtMs = await new Promise<number>((resolve) => {
        clock.setTimer(atMs, () => resolve(clock.now()));
      });
      assert.ok(firedAtMs >= atMs, `fired ${atMs - firedAtMs} ms early`);
    }
  });

  test("a time that has passed fires soon, but not inside the call", async () => {
    const clock = createSystemClock();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      clock.setTimer(clock.now() - 1000, () => {
        order.push("fired");
        resolve();
      });
      order.push("set");
    });
    assert.deepEqual(order, ["set", "fired"]);
  });

  test("a cancelled timer does not fire, and cancelling twice is harmless", async () => {
    const clock = createSystemClock();
    const fired: string[] = [];
    const timer = clock.setTimer(clock.now() + 1, () => fired.push("cancelled one"));
    timer.cancel();
    timer.cancel();
    await new Promise<void>((resolve) => {
      clock.setTimer(clock.now() + 5, resolve);
    });
    assert.deepEqual(fired, []);
  });

  test("a time beyond what setTimeout takes neither fires at once nor makes Node warn", async () => {
    const clock = createSystemClock();
    const fired: string[] = [];
    const noteWarning = (warning: Error): void => void fired.push(warning.name);
    process.on("warning", noteWarning);
    const timer = clock.setTimer(clock.now() + 2 ** 32, () => fired.push("far one"));
    await new Promise<void>((resolve) => {
      clock.setTimer(clock.now() + 5, resolve);
    });
    timer.cancel();
    process.off("warning", noteWarning);
    assert.deepEqual(fired, []);
  });

  test("is the same one in a worker", async () => {
    const source = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData).then(({ createSystemClock }) => parentPort.postMessage(createSystemClock().now()));`;
    const clock = createSystemClock();
    const beforeMs = clock.now();
    const worker = new Worker(source, {
      eval: true,
      workerData: new URL("../../../src/lifecycle/clock.ts", import.meta.url).href,
    });
    const [readingMs] = (await once(worker, "message")) as [number];
    assert.ok(readingMs >= beforeMs && readingMs <= clock.now());
    await worker.terminate();
  });
});

describe("the fake clock", () => {
  test("fires in order of time, then of setting, timers set meanwhile included", () => {
    const clock = new FakeClock(0);
    const fired: string[] = [];
    const note = (name: string): void => void fired.push(`${name}@${clock.now()}`);
    clock.setTimer(20, () => note("c"));
    clock.setTimer(10, () => {
      note("a");
      clock.setTimer(15, () => note("new"));
    });
    clock.setTimer(10, () => note("b"));
    clock.setTimer(30, () => note("later"));
    clock.advance(20);
    assert.deepEqual(fired, ["a@10", "b@10", "new@15", "c@20"]);
    assert.equal(clock.pending, 1);
  });

  test("a stall fires all that became due at the end, at the late time", () => {
    const clock = new FakeClock(0);
    const fired: number[] = [];
    clock.setTimer(10, () => fired.push(clock.now()));
    clock.setTimer(20, () => fired.push(clock.now()));
    clock.stall(50);
    assert.deepEqual(fired, [50, 50]);
  });
});
