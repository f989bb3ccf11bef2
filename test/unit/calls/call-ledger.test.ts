import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Call } from "../../../src/calls/call.ts";
import { CallLedger, sumOfOutcomes } from "../../../src/calls/call-ledger.ts";
import { outcomes } from "../../../src/calls/outcome.ts";
import { createMethod, FakeCaller } from "./fakes.ts";

const caller = new FakeCaller(() => {});
const add = createMethod({ index: 0, name: "add" });
const nobody = createMethod({ index: -1, name: "what" });

describe("the call ledger", () => {
  it("always has received = every outcome + owed, whatever happens in whatever order", () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom("receive", "receive", "settle", "settle-again", "release", "malformed"),
        outcome: fc.constantFrom(...outcomes),
        pick: fc.nat(),
      }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, (given) => {
        const ledger = new CallLedger();
        const owed: Call[] = [];
        const settled: Call[] = [];
        for (const { what, outcome, pick } of given) {
          if (what === "receive") owed.push(ledger.receive(caller, pick % 2 ? add : nobody, pick, 0));
          else if (what === "malformed") ledger.malformed();
          else if (what === "settle" && owed.length > 0) {
            const [call] = owed.splice(pick % owed.length, 1);
            assert.equal(ledger.settle(call!, outcome, 1), true);
            settled.push(call!);
          } else if (what === "settle-again" && settled.length > 0) {
            assert.equal(ledger.settle(settled[pick % settled.length]!, outcome, 2), false);
          } else if (what === "release" && settled.length > 0) {
            const [call] = settled.splice(pick % settled.length, 1);
            ledger.release(call!);
            assert.equal(ledger.settle(call!, outcome, 2), false, "a free record has no outcome to get");
          }
          const totals = ledger.totals();
          assert.equal(totals.received, sumOfOutcomes(totals) + totals.owed);
          assert.equal(totals.owed, owed.length);
          const byMethod = [...ledger.methods([add])].map(([, counts]) => counts);
          assert.equal(
            byMethod.reduce((sum, { received }) => sum + received, 0),
            totals.received,
          );
          assert.equal(
            byMethod.reduce((sum, counts) => sum + sumOfOutcomes(counts.outcomes), 0),
            sumOfOutcomes(totals),
          );
        }
      }),
    );
  });

  it("keeps the first outcome of a call", () => {
    const ledger = new CallLedger();
    const call = ledger.receive(caller, add, 1, 0);
    assert.equal(ledger.settle(call, "expired", 5), true);
    assert.equal(ledger.settle(call, "completed", 6), false);
    const { expired, completed } = ledger.totals();
    assert.deepEqual({ expired, completed }, { expired: 1, completed: 0 });
  });

  it("gives every call a serial of its own, also when its record is used again", () => {
    const ledger = new CallLedger();
    const serials = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const call = ledger.receive(caller, add, 0, 0);
      serials.add(call.serial);
      ledger.settle(call, "completed", 0);
      ledger.release(call);
    }
    assert.equal(serials.size, 100);
  });

  it("hands out a used record as clean as a new one", () => {
    const ledger = new CallLedger();
    const fresh = { ...ledger.receive(caller, add, 7, 3) };
    const used = ledger.receive(caller, createMethod({ index: 1, timeoutMs: 50 }), 9, 1);
    used.bytes = Buffer.from("x");
    used.reply = Buffer.from("y");
    used.next = used;
    used.lane = 3;
    used.slot = 17;
    used.inLane = true;
    used.pendingOutcome = "failed";
    ledger.settle(used, "failed", 2);
    ledger.release(used);
    const again = { ...ledger.receive(caller, add, 7, 3) };
    for (const { serial, ...rest } of [again]) {
      assert.notEqual(serial, fresh.serial);
      // Written by whoever hands the call over, before anybody reads them.
      const { pendingOutcome, start, bodyStart, end, ...read } = rest;
      assert.deepEqual(read, (({ serial, pendingOutcome, start, bodyStart, end, ...other }) => other)(fresh));
    }
  });

  it("tells when nothing is owed any more, and only then", () => {
    const ledger = new CallLedger();
    let idle = 0;
    ledger.onIdle = () => {
      idle++;
    };
    const [first, second] = [ledger.receive(caller, add, 1, 0), ledger.receive(caller, add, 2, 0)];
    ledger.settle(first, "completed", 0);
    assert.equal(idle, 0);
    ledger.settle(second, "oneway", 0);
    assert.equal(idle, 1);
    ledger.settle(second, "oneway", 0);
    assert.equal(idle, 1);
  });

  it("measures from the last byte of the message to the outcome", () => {
    const ledger = new CallLedger();
    ledger.settle(ledger.receive(caller, add, 1, 100), "completed", 107);
    const [entry] = ledger.methods([add]);
    assert.deepEqual([entry![1].latency.sumMs, entry![1].latency.count], [7, 1]);
  });
});
