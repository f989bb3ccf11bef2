import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type NoticedServer, SystemdNotices, watchdogMsOf } from "../../../src/server/systemd-notices.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

interface Rig {
  readonly clock: FakeClock;
  readonly sent: string[][];
  readonly notices: SystemdNotices;
  /** Sets what can be seen and says that the phase changed. */
  become(change: Partial<NoticedServer>): void;
  /** All that was sent since the last time. */
  take(): string[][];
}

function createRig(watchdogMs?: number): Rig {
  const clock = new FakeClock();
  const sent: string[][] = [];
  let server: NoticedServer = {
    phase: "starting",
    deadlineInMs: undefined,
    canUndrain: false,
    owed: 0,
    connections: 0,
  };
  let deadlineAtMs: number | undefined;
  const notices = new SystemdNotices({
    clock,
    send: (assignments) => sent.push([...assignments]),
    look: () => ({
      ...server,
      deadlineInMs: deadlineAtMs === undefined ? undefined : deadlineAtMs - clock.now(),
    }),
    watchdogMs,
    startEndsAtMs: clock.now() + 2500,
  });
  notices.begin();
  return {
    clock,
    sent,
    notices,
    become(change) {
      server = { ...server, ...change };
      deadlineAtMs = change.deadlineInMs === undefined ? deadlineAtMs : clock.now() + change.deadlineInMs;
      notices.look();
    },
    take: () => sent.splice(0),
  };
}

describe("what systemd is told", () => {
  test("a start asks for more time until its time is over", () => {
    const { clock, take } = createRig();
    assert.deepEqual(take(), [["STATUS=starting", "EXTEND_TIMEOUT_USEC=3500000"]]);
    clock.advance(1000);
    assert.deepEqual(take(), [["EXTEND_TIMEOUT_USEC=2500000"]]);
    clock.advance(5000);
    assert.deepEqual(take(), [["EXTEND_TIMEOUT_USEC=1500000"]], "nothing any more behind the time-out");
  });

  test("it is ready once, also when a drain was taken back", () => {
    const { become, take } = createRig();
    take();
    become({ phase: "serving" });
    assert.deepEqual(take(), [["READY=1", "STATUS=serving: 0 calls in flight, 0 connections"]]);
    become({ phase: "lame-duck", canUndrain: true, deadlineInMs: 9000 });
    assert.deepEqual(take(), [["STATUS=lame-duck: 0 calls in flight, 0 connections, at most 9 s left"]]);
    become({ phase: "serving", canUndrain: false });
    assert.deepEqual(take(), [["STATUS=serving: 0 calls in flight, 0 connections"]]);
  });

  test("a lame duck that can't be taken back any more is stopping", () => {
    const { become, take, clock } = createRig();
    become({ phase: "serving" });
    become({ phase: "lame-duck", canUndrain: true, deadlineInMs: 9000 });
    take();
    become({ canUndrain: false });
    assert.deepEqual(take(), [["STOPPING=1", "EXTEND_TIMEOUT_USEC=6000000"]]);
    clock.advance(1000);
    assert.equal(take().flat().includes("STOPPING=1"), false);
  });

  test("a stop tells what is in flight, asks for more time up to its deadline, and no more behind it", () => {
    const { become, take, clock } = createRig();
    become({ phase: "serving" });
    take();
    become({ phase: "draining", owed: 3, connections: 1, deadlineInMs: 2500 });
    assert.deepEqual(take(), [
      [
        "STOPPING=1",
        "STATUS=draining: 3 calls in flight, 1 connection, at most 3 s left",
        "EXTEND_TIMEOUT_USEC=3500000",
      ],
    ]);
    clock.advance(2000);
    assert.deepEqual(take(), [
      ["STATUS=draining: 3 calls in flight, 1 connection, at most 2 s left", "EXTEND_TIMEOUT_USEC=2500000"],
      ["STATUS=draining: 3 calls in flight, 1 connection, at most 1 s left", "EXTEND_TIMEOUT_USEC=1500000"],
    ]);
    clock.advance(4000);
    assert.deepEqual(
      take()
        .flat()
        .filter((text) => text.startsWith("EXTEND")),
      [],
    );
    become({ phase: "stopped" });
    assert.deepEqual(take(), [["STATUS=stopped"]]);
    clock.advance(60_000);
    assert.deepEqual(take(), [], "silent for ever");
  });

  test("signs of life come at half the interval, in every phase", () => {
    const { become, take, clock } = createRig(3000);
    become({ phase: "serving" });
    clock.advance(3000);
    become({ phase: "draining", deadlineInMs: 60_000 });
    clock.advance(3000);
    const signs = take().filter((message) => message.includes("WATCHDOG=1"));
    assert.equal(signs.length, 4);
  });

  test("a status of which only the numbers change is told every ten seconds at most", () => {
    const { become, take, clock } = createRig();
    become({ phase: "serving" });
    take();
    for (let owed = 1; owed <= 25; owed++) {
      become({ owed });
      clock.advance(1000);
    }
    assert.equal(take().length, 2);
  });

  test("a reload is told only of a server that serves", () => {
    const { notices, become, take } = createRig();
    take();
    notices.reloading(5n);
    assert.deepEqual(take(), []);
    become({ phase: "serving" });
    take();
    notices.reloading(5n);
    notices.reloaded();
    assert.deepEqual(take(), [["RELOADING=1", "MONOTONIC_USEC=5"], ["READY=1"]]);
    become({ phase: "draining" });
    take();
    notices.reloaded();
    assert.deepEqual(take(), [], "READY behind STOPPING would be a lie");
  });

  test("who has handed over names the next process and is silent", () => {
    const { notices, become, take, clock } = createRig(1000);
    become({ phase: "serving" });
    take();
    notices.handedOver(77);
    become({ phase: "draining" });
    clock.advance(5000);
    assert.deepEqual(take(), [["MAINPID=77"]]);
  });
});

test("the watchdog's interval is read when it is meant for this process", () => {
  assert.equal(watchdogMsOf({ WATCHDOG_USEC: "3000000" }, 5), 3000);
  assert.equal(watchdogMsOf({ WATCHDOG_USEC: "3000000", WATCHDOG_PID: "5" }, 5), 3000);
  assert.equal(watchdogMsOf({ WATCHDOG_USEC: "3000000", WATCHDOG_PID: "6" }, 5), undefined);
  assert.equal(watchdogMsOf({ WATCHDOG_USEC: "x" }, 5), undefined);
  assert.equal(watchdogMsOf({}, 5), undefined);
});
