import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../../src/calls/call.ts";
import { DeskRig } from "./desk-rig.ts";
import { createMessage } from "./fakes.ts";

describe("the call desk", () => {
  it("hands over the calls of one read together, and their replies in one flush", () => {
    const rig = new DeskRig();
    const calls = rig.read(["add", "Calc:add", "add"]);
    assert.equal(calls.length, 3);
    assert.deepEqual(rig.counts, { owed: 3 });
    rig.reply(calls);
    assert.deepEqual(rig.caller.texts, ["reply", "reply", "reply"]);
    assert.equal(rig.caller.flushes, 1);
    assert.deepEqual(rig.counts, { completed: 3 });
  });

  it("counts a call as completed only when the kernel has its reply", () => {
    const rig = new DeskRig();
    rig.caller.held = true;
    rig.reply(rig.read(["add"]));
    assert.deepEqual(rig.counts, { owed: 1 });
    rig.caller.held = false;
    rig.caller.flush();
    assert.deepEqual(rig.counts, { completed: 1 });
  });

  it("keeps what the worker says of a call's outcome", () => {
    const rig = new DeskRig();
    rig.reply(rig.read(["add"]), "failed");
    rig.reply(rig.read(["add"]), "rejected");
    assert.deepEqual(rig.counts, { failed: 1, rejected: 1 });
  });

  it("answers fb303 itself, also while nothing else is started", () => {
    const rig = new DeskRig(0);
    assert.deepEqual(rig.read(["getName", "fb303:getName"]), []);
    assert.deepEqual(rig.caller.texts, ["getName from the main thread", "getName from the main thread"]);
    rig.read(["reinitialize"]);
    assert.deepEqual(rig.counts, { completed: 2, oneway: 1 });
    assert.equal(rig.caller.inFlight, 0);
  });

  it("refuses unknown methods and services with UNKNOWN_METHOD, under the name without the service", () => {
    const rig = new DeskRig();
    rig.read(["what", "Calc:what", "Nobody:what"]);
    assert.deepEqual(rig.caller.texts, [
      "what 1 exception 1: unknown method what",
      "what 2 exception 1: unknown method what",
      "what 3 exception 1: unknown service in Nobody:what",
    ]);
    assert.deepEqual(rig.counts, { rejected: 3 });
  });

  it("answers nothing to an unknown name that was sent as a oneway", () => {
    const rig = new DeskRig();
    rig.desk.arrive(rig.caller, createMessage("what", "", 1, 4), rig.clock.now());
    rig.desk.endOfRead(rig.caller);
    assert.deepEqual(rig.caller.texts, []);
    assert.deepEqual(rig.counts, { rejected: 1 });
    assert.equal(rig.caller.inFlight, 0);
  });

  it("refuses what is beyond maxInFlight, and takes calls again when there is room", () => {
    const rig = new DeskRig(2);
    const calls = rig.read(["add", "add", "add", "note"]);
    assert.equal(calls.length, 2);
    assert.match(rig.caller.texts[0]!, /^add 3 exception 6: overloaded: 2 calls are in flight/);
    assert.deepEqual(rig.counts, { owed: 2, rejected: 2 });
    rig.reply(calls);
    assert.equal(rig.read(["add"]).length, 1);
  });

  it("refuses calls while the messages of those in flight take more than maxBuffered", () => {
    const rig = new DeskRig(1000, 100_000);
    const large = (seqid: number): void => {
      rig.desk.arrive(rig.caller, createMessage("add", "x".repeat(60_000), seqid), 0);
      rig.desk.endOfRead(rig.caller);
    };
    large(1);
    const calls = [...rig.lanes.handed];
    large(2);
    assert.match(rig.caller.texts[0]!, /^add 2 exception 6: overloaded: calls in flight hold 12\d{4} bytes/);
    rig.reply(calls);
    assert.equal(rig.ledger.heldBytes, 0);
    large(3);
    assert.deepEqual(rig.counts, { completed: 1, rejected: 1, owed: 1 });
    assert.deepEqual(rig.desk.refused, { maxInFlight: 0, maxBuffered: 1 });
  });

  it("refuses what comes from a connection that is being ended", () => {
    const rig = new DeskRig();
    assert.deepEqual(rig.read(["add", "getName"], rig.caller, "draining"), []);
    assert.deepEqual(rig.caller.texts, ["add 1 exception 6: draining", "getName 2 exception 6: draining"]);
  });

  it("lets go of oneways when they have run, whatever became of them, and answers nothing", () => {
    const rig = new DeskRig();
    const [done, failed, refused, died] = rig.read(["note", "note", "note", "note"]);
    rig.reply([done!], "oneway", "");
    rig.reply([failed!], "failed", "");
    rig.reply([refused!], "rejected", "");
    rig.desk.died(died!);
    assert.deepEqual(rig.caller.texts, []);
    assert.equal(rig.caller.left.length, 4);
    assert.equal(rig.caller.inFlight, 0);
    assert.deepEqual(rig.counts, { oneway: 1, failed: 1, rejected: 1, cut: 1 });
  });

  it("counts replies to a caller that is gone as orphaned, with whether their handler had started", () => {
    const rig = new DeskRig();
    rig.caller.gone = true;
    rig.reply(rig.read(["add", "what"]));
    assert.deepEqual(rig.counts, { orphaned: 2 });
    assert.equal(rig.ledger.totals().orphanedStarted, 1);
  });

  it("tells the caller of a call whose worker died, and keeps what is known of it", () => {
    const rig = new DeskRig();
    const [call] = rig.read(["add"]);
    rig.clock.advance(25);
    rig.desk.died(call!);
    assert.match(
      rig.caller.texts[0]!,
      /^add 1 exception 6: the worker that ran the call ended; unknown whether/,
    );
    assert.deepEqual(rig.counts, { cut: 1 });
    assert.deepEqual(rig.desk.cutCalls, [
      { method: "Calc.add", seqid: 1, peer: "127.0.0.1:1", ageMs: 25, worker: 0 },
    ]);
  });

  it("answers a call that is cut, and takes no notice of what its worker says later", () => {
    const rig = new DeskRig();
    const [replied, died] = rig.read(["add", "add"]);
    rig.desk.cut(replied!);
    rig.desk.cut(died!);
    rig.reply([replied!]);
    rig.desk.died(died!);
    rig.desk.cut(replied!);
    assert.equal(rig.caller.answered.length, 2);
    assert.deepEqual(rig.counts, { cut: 2 });
  });

  it("refuses calls that no worker is left for", () => {
    const rig = new DeskRig();
    for (const call of rig.read(["add", "note"])) rig.desk.unservable(call);
    assert.match(rig.caller.texts[0]!, /^add 1 exception 6: no worker is left to run the call; not started/);
    assert.deepEqual(rig.counts, { rejected: 2 });
  });

  it("says when calls wait for room, and has the caller go on when there is some", () => {
    const rig = new DeskRig();
    rig.lanes.waiting = 1;
    assert.equal(rig.desk.endOfRead(rig.caller), false);
    rig.lanes.waiting = 0;
    rig.desk.roomAgain();
    assert.equal(rig.caller.resumed, 1);
    rig.desk.roomAgain();
    assert.equal(rig.caller.resumed, 1, "once");
    assert.equal(rig.desk.endOfRead(rig.caller), true);
  });
});

describe("a call's deadline", () => {
  it("passes before the call has started: it never starts", () => {
    const rig = new DeskRig();
    rig.lanes.started = false;
    rig.read(["slow", "slowNote"]);
    rig.clock.advance(99);
    assert.deepEqual(rig.counts, { owed: 2 });
    rig.clock.advance(1);
    assert.deepEqual(rig.caller.texts, [
      "slow 1 exception 6: the call's deadline has passed; it was never started",
    ]);
    assert.deepEqual(rig.counts, { expired: 2 });
    assert.deepEqual(rig.lanes.handed, []);
    assert.deepEqual(rig.lanes.aborted, []);
    assert.equal(rig.caller.inFlight, 0);
  });

  it("passes while the call runs: its signal aborts, its caller is answered, its reply goes nowhere", () => {
    const rig = new DeskRig();
    const calls = rig.read(["slow", "slowNote"]);
    rig.clock.advance(100);
    assert.deepEqual(rig.caller.texts, [
      "slow 1 exception 6: the call's deadline has passed; unknown whether it took effect",
    ]);
    assert.equal(rig.lanes.aborted.length, 2);
    assert.deepEqual(rig.counts, { expired: 2 });
    rig.reply([calls[0]!]);
    rig.reply([calls[1]!], "oneway", "");
    assert.equal(rig.caller.answered.length, 1);
    assert.deepEqual(rig.counts, { expired: 2 });
  });

  it("has no meaning for a call that is answered and only waits to leave", () => {
    const rig = new DeskRig();
    rig.caller.held = true;
    rig.reply(rig.read(["slow"]));
    rig.clock.advance(1000);
    rig.caller.held = false;
    rig.caller.flush();
    assert.deepEqual(rig.caller.texts, ["reply"]);
    assert.deepEqual(rig.counts, { completed: 1 });
  });

  it("counts as orphaned without a start when it was withdrawn and its caller is gone", () => {
    const rig = new DeskRig();
    rig.lanes.started = false;
    rig.caller.gone = true;
    for (const call of rig.read(["slow"])) call.lane = -1;
    rig.clock.advance(100);
    assert.deepEqual(rig.counts, { orphaned: 1 });
    assert.equal(rig.ledger.totals().orphanedStarted, 0);
  });
});

describe("the records of calls", () => {
  /** What may happen to one call, in its order; each must leave the record free exactly once. */
  const lives: Record<string, (rig: DeskRig, call: Call) => void> = {
    "a reply": (rig, call) => rig.reply([call]),
    "a death": (rig, call) => rig.desk.died(call),
    "a cut, then a reply": (rig, call) => {
      rig.desk.cut(call);
      rig.reply([call]);
    },
    "a cut, then a death": (rig, call) => {
      rig.desk.cut(call);
      rig.desk.died(call);
    },
    "a cut whose answer can't leave, a reply, then it can": (rig, call) => {
      rig.caller.held = true;
      rig.desk.cut(call);
      rig.reply([call]);
      rig.caller.held = false;
      rig.caller.flush();
    },
    "its deadline, then a reply": (rig, call) => {
      rig.clock.advance(100);
      rig.reply([call]);
    },
    "its deadline, then a death": (rig, call) => {
      rig.clock.advance(100);
      rig.desk.died(call);
    },
    "its deadline before it started": (rig) => {
      rig.lanes.started = false;
      rig.clock.advance(100);
    },
    "its deadline with an answer that can't leave, a reply, then it can": (rig, call) => {
      rig.caller.held = true;
      rig.clock.advance(100);
      rig.reply([call]);
      rig.caller.held = false;
      rig.caller.flush();
    },
    "no worker left": (rig, call) => rig.desk.unservable(call),
  };

  for (const method of ["slow", "slowNote"]) {
    for (const [what, live] of Object.entries(lives)) {
      it(`are free once after ${what} (${method})`, () => {
        const rig = new DeskRig();
        const [call] = rig.read([method]);
        live(rig, call!);
        assert.equal(call!.stage, "free");
        assert.equal(call!.caller, null);
        rig.lanes.started = true;
        const next = rig.read(["add", "add", "add"]);
        assert.equal(new Set(next).size, 3, "no record serves two calls");
        assert.ok(next.includes(call!), "the record is used again");
        // What was left of the first call must not touch the second.
        rig.clock.advance(1000);
        rig.reply(next);
        assert.equal(rig.caller.inFlight, 0);
        assert.equal(
          rig.counts.completed,
          method === "slow" && what === "a reply" ? 4 : what === "a reply" ? 4 : 3,
        );
      });
    }
  }

  it("are not used again while a worker still has the call", () => {
    const rig = new DeskRig();
    const [call] = rig.read(["slow"]);
    rig.clock.advance(100);
    assert.deepEqual(rig.counts, { expired: 1 });
    assert.ok(!rig.read(["add", "add"]).includes(call!));
    assert.equal(call!.stage, "settled");
  });

  it("are not used again while the reply has not left", () => {
    const rig = new DeskRig();
    rig.caller.held = true;
    const [call] = rig.read(["add"]);
    rig.reply([call!]);
    assert.ok(!rig.read(["add", "add"]).includes(call!));
  });
});
