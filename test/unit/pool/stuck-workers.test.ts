import assert from "node:assert/strict";
import { test } from "node:test";
import type { LaneWorker } from "../../../src/pool/lane-worker.ts";
import { StuckWorkers } from "../../../src/pool/stuck-workers.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

/** A worker that answers a ping when it is told to. */
class FakeWorker {
  state = "ready";
  pings = 0;
  guardedUntilMs = 0;
  answer: () => void = () => {};
  readonly lane = {
    started: () => [{}],
    guardOf: () => this.guardedUntilMs,
  };

  ping(): Promise<void> {
    this.pings++;
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }
}

function rig(): { clock: FakeClock; worker: FakeWorker; ended: unknown[]; suspect: () => void } {
  const clock = new FakeClock();
  const ended: unknown[] = [];
  const stuck = new StuckWorkers({ clock, end: (worker) => ended.push(worker) });
  const worker = new FakeWorker();
  return { clock, worker, ended, suspect: () => stuck.suspect(worker as unknown as LaneWorker) };
}

test("a worker that does not come back to its event loop within 5 s is ended, once", () => {
  const { clock, worker, ended, suspect } = rig();
  suspect();
  suspect();
  assert.equal(worker.pings, 1);
  clock.advance(4_999);
  assert.deepEqual(ended, []);
  clock.advance(1);
  assert.deepEqual(ended, [worker]);
});

test("one that comes back is left alone, and may be suspected again", async () => {
  const { clock, worker, ended, suspect } = rig();
  suspect();
  worker.answer();
  await Promise.resolve();
  await Promise.resolve();
  clock.advance(10_000);
  assert.deepEqual(ended, []);
  suspect();
  assert.equal(worker.pings, 2);
});

test("while a call on it is protected it is not ended", () => {
  const { clock, worker, ended, suspect } = rig();
  worker.guardedUntilMs = clock.now() + 12_000;
  suspect();
  clock.advance(14_999);
  assert.deepEqual(ended, []);
  clock.advance(1);
  assert.deepEqual(ended, [worker]);
});

test("one that is being replaced anyway is not ended twice", () => {
  const { clock, worker, ended, suspect } = rig();
  suspect();
  worker.state = "closing";
  clock.advance(5_000);
  assert.deepEqual(ended, []);
});
