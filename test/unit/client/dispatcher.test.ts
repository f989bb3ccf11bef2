import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApplicationError,
  ClosedError,
  callTrace,
  DeadlineError,
  NotStartedError,
  UnknownOutcomeError,
} from "../../../src/client/errors.ts";
import { ClientRig } from "./client-rig.ts";

test("a refused call is made at once at another endpoint, and once everywhere before there is a pause", () => {
  const rig = new ClientRig();
  const ended = rig.call();
  const seen = new Set<string>();
  for (let attempt = 0; attempt < 3; attempt++) {
    const link = rig.linkOf(ended);
    link.open();
    seen.add(link.endpoint.name);
    link.refuse(ended.call);
  }
  assert.equal(seen.size, 3);
  assert.equal(ended.call.carrier, undefined, "all have refused it");
  rig.clock.advance(100);
  rig.linkOf(ended).answer(ended.call, { kind: "result", value: "done" });
  assert.deepEqual([ended.value, ended.call.attempts, rig.repeats], ["done", 4, 3]);
});

test("a call of unknown outcome is repeated only when it is idempotent", () => {
  for (const idempotent of [false, true]) {
    const rig = new ClientRig();
    const ended = rig.call({ idempotent });
    const link = rig.linkOf(ended);
    link.open();
    link.break(new Error("reset"));
    if (idempotent) {
      assert.notEqual(rig.linkOf(ended).endpoint.name, link.endpoint.name);
      continue;
    }
    const { error } = ended;
    assert.ok(error instanceof UnknownOutcomeError);
    assert.equal(error.code, "SLUICE_UNKNOWN_OUTCOME");
    assert.deepEqual(callTrace(error), { endpoint: link.endpoint.name, attempts: 1 });
    assert.match(String((error.cause as Error).message), /reset/);
  }
});

test("a call that its server cut fails with the server's own words", () => {
  const rig = new ClientRig();
  const ended = rig.call();
  const link = rig.linkOf(ended);
  link.open();
  link.refuse(ended.call, "unknown", { kind: "application", type: 6, message: "the worker ended" });
  assert.ok(ended.error instanceof UnknownOutcomeError);
  assert.match(ended.error.message, /unknown whether it took effect: the server answered "the worker ended"/);
});

test("a call that ends its server each time is not repeated for ever", () => {
  const rig = new ClientRig({ retries: { unknownAttempts: 3 } });
  const ended = rig.call({ idempotent: true });
  for (let attempt = 0; attempt < 3; attempt++) {
    rig.linkOf(ended).open();
    rig.linkOf(ended).break();
  }
  assert.ok(ended.error instanceof UnknownOutcomeError);
  assert.equal(ended.error.attempts, 3);
});

test("what was not written when the connection ended is repeated, idempotent or not", () => {
  const rig = new ClientRig();
  const ended = rig.call();
  const link = rig.linkOf(ended);
  link.break();
  assert.notEqual(rig.linkOf(ended).endpoint.name, link.endpoint.name);
});

test("repeats are paid from the budget; connections that were refused cost none", () => {
  const rig = new ClientRig({ endpoints: ["a:1"], retries: { share: 0, perSecond: 0, most: 2 } });
  const ended = rig.call();
  rig.links[0]!.break();
  for (let attempt = 0; attempt < 2; attempt++) {
    rig.clock.advance(2000);
    rig.probeOf("a:1")?.open();
    const probe = rig.probeOf("a:1");
    probe?.answer(probe.calls[0]!);
    rig.linkOf(ended).refuse(ended.call);
  }
  rig.clock.advance(2000);
  rig.linkOf(ended).refuse(ended.call);
  assert.ok(ended.error instanceof NotStartedError);
  assert.match(ended.error.message, /retry budget/);
});

test("a call whose time is over fails, and says whether it may have run", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  const [unsent, later] = [rig.call({ timeoutMs: 500 }), rig.call({ timeoutMs: 900 })];
  rig.clock.advance(499);
  assert.equal(rig.dispatcher.inFlight, 2);
  rig.clock.advance(1);
  assert.ok(unsent.error instanceof DeadlineError);
  assert.equal(unsent.error.mayHaveRun, false);
  rig.links[0]!.open();
  rig.clock.advance(400);
  assert.ok(later.error instanceof DeadlineError);
  assert.equal(later.error.mayHaveRun, true);
  assert.deepEqual(rig.outcomes, ["deadline", "deadline"]);
});

test("refusals do not count among the attempts of unknown outcome", () => {
  const rig = new ClientRig({ endpoints: ["a:1"], retries: { unknownAttempts: 2 } });
  const ended = rig.call({ idempotent: true });
  rig.links[0]!.open();
  for (let refusals = 0; refusals < 5; refusals++) {
    rig.linkOf(ended).refuse(ended.call);
    rig.clock.advance(1000);
  }
  rig.linkOf(ended).refuse(ended.call, "unknown");
  rig.clock.advance(1000);
  assert.equal(rig.dispatcher.inFlight, 1);
  rig.linkOf(ended).refuse(ended.call, "unknown");
  assert.ok(ended.error instanceof UnknownOutcomeError);
  assert.equal(ended.error.attempts, 7);
});

test("a call that can't be handed to a connection is settled", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  const first = rig.call();
  const link = rig.linkOf(first);
  link.open();
  link.answer(first.call);
  link.send = () => {
    throw new TypeError("a header that Node refuses");
  };
  const ended = rig.call();
  assert.ok(ended.error instanceof NotStartedError);
  assert.match(
    ended.error.message,
    /it can't be sent: a header that Node refuses \(1 attempt, last at a:1\)/,
  );
  assert.equal(rig.dispatcher.inFlight, 0);
});

test("an answer that comes too late changes nothing", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  const ended = rig.call({ timeoutMs: 100 });
  const link = rig.linkOf(ended);
  link.open();
  rig.clock.advance(100);
  link.answer(ended.call);
  assert.equal(ended.value, undefined);
  assert.equal(rig.dispatcher.inFlight, 0);
});

test("a TApplicationException is an error with its type; a declared one is passed on as it is", () => {
  const rig = new ClientRig();
  const [one, other] = [rig.call(), rig.call()];
  rig.linkOf(one).answer(one.call, { kind: "application", type: 6, message: "inner" });
  assert.ok(one.error instanceof ApplicationError);
  assert.deepEqual([one.error.type, one.error.serverMessage], [6, "inner"]);
  const declared = new Error("declared");
  const { name } = rig.linkOf(other).endpoint;
  rig.linkOf(other).answer(other.call, { kind: "declared", error: declared });
  assert.equal(other.error, declared);
  assert.deepEqual(callTrace(declared), { endpoint: name, attempts: 1 });
});

test("draining waits for calls, and fails what takes too long", async () => {
  const rig = new ClientRig();
  const [quick, slow] = [rig.call(), rig.call()];
  const drained = rig.dispatcher.drain(1000);
  rig.linkOf(quick).answer(quick.call);
  rig.clock.advance(999);
  assert.equal(rig.dispatcher.inFlight, 1);
  rig.clock.advance(1);
  assert.ok(slow.error instanceof ClosedError);
  await drained;
  rig.dispatcher.stop();
  rig.set.retire();
  assert.equal(rig.clock.pending, 0, "no timer is left");
});

test("without any endpoint a call waits, and gets the first one that is found", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  rig.set.set([]);
  const ended = rig.call();
  assert.equal(ended.call.state, "waiting");
  rig.set.set([{ name: "b:1", connect: { host: "b", port: 1 }, servername: undefined }]);
  assert.equal(rig.linkOf(ended).endpoint.name, "b:1");
});
