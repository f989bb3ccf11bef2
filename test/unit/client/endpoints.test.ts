import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../src/client/address.ts";
import { ClientRig, type Ended } from "./client-rig.ts";

/** Numbers from 0 up to 1, always the same. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("of two endpoints drawn at random the one with fewer calls gets the next, so a slow one gets few", () => {
  const rig = new ClientRig({ random: numbers(7) });
  const counts = new Map<string, number>();
  for (let made = 0; made < 300; made++) {
    const ended = rig.call();
    const link = rig.linkOf(ended);
    if (link.state === "connecting") link.open();
    counts.set(link.endpoint.name, (counts.get(link.endpoint.name) ?? 0) + 1);
    // `b` never answers.
    if (link.endpoint.name !== "b:1") link.answer(ended.call);
  }
  assert.ok(counts.get("b:1")! <= 2, `${counts.get("b:1")} calls went to the one that is slow`);
  assert.ok(counts.get("a:1")! > 100 && counts.get("c:1")! > 100, "the others share the rest");
});

test("an endpoint that can't be reached gets no calls until it has answered a probe, later each time when it stays away", () => {
  const rig = new ClientRig({ endpoints: ["a:1"], random: () => 1 - 1e-9 });
  const ended = rig.call();
  rig.links[0]!.break();
  assert.deepEqual(rig.away, ["a:1 unreachable"]);
  assert.equal(ended.call.state, "waiting", "there is nobody else: it waits");
  const pauses: number[] = [];
  for (let probes = 0; probes < 20; probes++) {
    const fromMs = rig.clock.now();
    while (rig.probeOf("a:1") === undefined) rig.clock.advance(1);
    pauses.push(rig.clock.now() - fromMs);
    rig.probeOf("a:1")!.break();
  }
  assert.deepEqual(pauses.slice(0, 13), Array(13).fill(75), "a server that restarts is back soon");
  assert.deepEqual(pauses.slice(13), [125, 225, 425, 825, 1025, 1025, 1025]);
  while (rig.probeOf("a:1") === undefined) rig.clock.advance(1);
  const probe = rig.probeOf("a:1")!;
  probe.open();
  assert.equal(ended.call.state, "waiting", "a connection is no answer");
  probe.answer(probe.calls[0]!);
  assert.equal(ended.call.carrier, probe, "the probe's connection is used");
  probe.answer(ended.call, { kind: "result", value: "done" });
  assert.equal(ended.value, "done");
});

/** One of three endpoints that was away and has come back. */
function withReturned(slowStartMs: number): ClientRig {
  const rig = new ClientRig({ random: numbers(3), slowStartMs });
  const first = rig.call();
  const { endpoint } = rig.linkOf(first);
  rig.linkOf(first).break();
  while (rig.probeOf(endpoint.name) === undefined) rig.clock.advance(1);
  const probe = rig.probeOf(endpoint.name)!;
  probe.open();
  probe.answer(probe.calls[0]!);
  assert.ok([...rig.set.all].every(({ isWell }) => isWell));
  return rig;
}

test("an endpoint that has come back gets one call at a time, and one more with each answer", () => {
  const rig = withReturned(1000);
  const [name] = rig.away[0]!.split(" ");
  const calls: Ended[] = [];
  const seen: number[] = [];
  for (let round = 0; round < 4; round++) {
    for (let made = 0; made < 60; made++) calls.push(rig.call());
    seen.push(rig.loads[name!]!);
    for (const ended of calls.splice(0)) {
      const link = rig.linkOf(ended);
      if (link.state === "connecting") link.open();
      link.answer(ended.call);
    }
  }
  assert.deepEqual(seen, [1, 2, 4, 8]);
});

test("after `slowStartMs` an endpoint that has come back may have all, answers or not; with 0 at once", () => {
  const rig = withReturned(1000);
  const [name] = rig.away[0]!.split(" ");
  for (let made = 0; made < 30; made++) rig.call();
  assert.equal(rig.loads[name!], 1);
  rig.clock.advance(999);
  for (let made = 0; made < 10; made++) rig.call();
  assert.equal(rig.loads[name!], 1);
  rig.clock.advance(1);
  for (let made = 0; made < 60; made++) rig.call();
  assert.ok(rig.loads[name!]! > 20, JSON.stringify(rig.loads));

  const all = withReturned(0);
  for (let made = 0; made < 30; made++) all.call();
  assert.ok(all.loads[all.away[0]!.split(" ")[0]!]! >= 9, JSON.stringify(all.loads));
});

test("an endpoint that has come back gets all calls when nobody else is well", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  const waiting = Array.from({ length: 5 }, () => rig.call());
  rig.links[0]!.break();
  while (rig.probeOf("a:1") === undefined) rig.clock.advance(1);
  const probe = rig.probeOf("a:1")!;
  probe.open();
  probe.answer(probe.calls[0]!);
  assert.ok(waiting.every(({ call }) => call.carrier !== undefined));
});

test("an endpoint that joins others gets few calls at first; those that a client begins with get all", () => {
  const rig = new ClientRig({ endpoints: ["a:1", "b:1"], random: numbers(5) });
  for (let made = 0; made < 10; made++) rig.call();
  assert.deepEqual(Object.values(rig.loads), [5, 5]);
  rig.set.set(["a:1", "b:1", "c:1"].map(parseAddress));
  for (let made = 0; made < 10; made++) rig.call();
  assert.equal(rig.loads["c:1"], 1);
});

for (const [status, well] of [
  [2, true],
  [3, false],
  [1, false],
  [5, true],
] as const) {
  test(`a server whose fb303 status is ${status} gets ${well ? "calls" : "none yet"}`, () => {
    const rig = new ClientRig({ endpoints: ["a:1"] });
    rig.call();
    rig.links[0]!.break();
    rig.clock.advance(100);
    const probe = rig.probeOf("a:1")!;
    probe.open();
    probe.answer(probe.calls[0]!, { kind: "result", value: status });
    assert.equal(rig.set.hasWell, well);
  });
}

test("a server without fb303 answers a probe with an exception, or by closing: it is there", () => {
  for (const how of ["exception", "close"]) {
    const rig = new ClientRig({ endpoints: ["a:1"] });
    rig.call();
    rig.links[0]!.break();
    rig.clock.advance(100);
    const probe = rig.probeOf("a:1")!;
    probe.open();
    if (how === "close") probe.break();
    else probe.answer(probe.calls[0]!, { kind: "application", type: 1, message: "unknown" });
    assert.equal(rig.set.hasWell, true, how);
  }
});

test("a server that resets a probe's connection has just died", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  rig.call();
  rig.links[0]!.break();
  rig.clock.advance(100);
  const probe = rig.probeOf("a:1")!;
  probe.open();
  probe.break(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
  assert.equal(rig.set.hasWell, false);
});

test("with `probe: connect` a connection is enough", () => {
  const rig = new ClientRig({ endpoints: ["a:1"], probe: "connect" });
  rig.call();
  rig.links[0]!.break();
  rig.clock.advance(100);
  assert.equal(rig.set.hasWell, false);
  rig.links.at(-1)!.open();
  assert.equal(rig.set.hasWell, true);
});

test("a server that says it leaves gets no further calls, and those that it has are waited for", () => {
  const rig = new ClientRig({ endpoints: ["a:1", "b:1"], random: () => 0 });
  const first = rig.call();
  const link = rig.linkOf(first);
  link.open();
  link.endpoint.serverLeaves(link);
  assert.equal(link.state, "leaving");
  for (let made = 0; made < 5; made++) {
    assert.notEqual(rig.linkOf(rig.call()).endpoint.name, link.endpoint.name);
  }
  link.answer(first.call, { kind: "result", value: 1 });
  assert.equal(first.value, 1);
  assert.ok(rig.probeOf(link.endpoint.name), "its successor may be there already");
});

test("a server that owes answers and is silent is asked; if it does not answer, idempotent calls go elsewhere", () => {
  const rig = new ClientRig({ endpoints: ["a:1", "b:1"], random: () => 0 });
  const [repeatable, other] = [rig.call({ idempotent: true }), rig.call({ idempotent: true })];
  const link = rig.linkOf(repeatable);
  link.open();
  const once = rig.call();
  once.call.carrier?.release(once.call);
  link.send(once.call);
  link.silentSinceMs = rig.clock.now();
  rig.clock.advance(1500);
  const probe = rig.probeOf(link.endpoint.name);
  assert.ok(probe, "it is asked on a connection of its own");
  rig.clock.advance(1000);
  assert.deepEqual(rig.away, [`${link.endpoint.name} silent`]);
  assert.notEqual(rig.linkOf(repeatable).endpoint.name, link.endpoint.name);
  assert.equal(rig.linkOf(once), link, "what may not be repeated waits on");
  assert.equal(other.error, undefined);
  // The first answer counts, wherever it comes from.
  link.answer(repeatable.call, { kind: "result", value: "late" });
  assert.equal(repeatable.value, "late");
  link.stalled = false;
  link.endpoint.spoke(link);
  assert.equal(rig.set.choose(undefined)?.name !== undefined && rig.set.hasWell, true);
});

test("what is idle when its server falls silent is closed: nothing would come that says that it can be used again", () => {
  const rig = new ClientRig({ endpoints: ["a:1"], connections: 2 });
  const [one, other] = [rig.call(), rig.call()];
  const [idle, busy] = [rig.linkOf(one), rig.linkOf(other)];
  idle.open();
  busy.open();
  idle.answer(one.call);
  busy.silentSinceMs = rig.clock.now();
  rig.clock.advance(2500);
  assert.deepEqual(rig.away, ["a:1 silent"]);
  assert.deepEqual([idle.state, busy.state], ["leaving", "open"]);
});

test("a server that is silent and answers a probe is only slow", () => {
  const rig = new ClientRig({ endpoints: ["a:1", "b:1"], random: () => 0 });
  const ended = rig.call({ idempotent: true });
  const link = rig.linkOf(ended);
  link.open();
  link.silentSinceMs = rig.clock.now();
  rig.clock.advance(1500);
  const probe = rig.probeOf(link.endpoint.name)!;
  probe.open();
  probe.answer(probe.calls[0]!, { kind: "result", value: 2 });
  rig.clock.advance(900);
  assert.equal(rig.probeOf(link.endpoint.name), undefined, "it is not asked again within a second");
  assert.deepEqual(rig.away, []);
  assert.equal(rig.linkOf(ended), link);
});

test("endpoints that are none any more end when their calls are answered; new ones get calls", () => {
  const rig = new ClientRig({ endpoints: ["a:1"] });
  const ended = rig.call();
  const link = rig.linkOf(ended);
  link.open();
  rig.set.set([parseAddress("b:1")]);
  assert.equal(link.state, "leaving");
  assert.equal(rig.linkOf(rig.call()).endpoint.name, "b:1");
  link.answer(ended.call, { kind: "result", value: 1 });
  assert.equal(ended.value, 1);
});

test("further connections are made up to `connections`, while none is free", () => {
  const rig = new ClientRig({ endpoints: ["a:1"], connections: 2 });
  const first = rig.call();
  rig.links[0]!.open();
  rig.call();
  assert.equal(rig.links.length, 2, "one was busy");
  rig.links[1]!.open();
  rig.call();
  rig.call();
  assert.equal(rig.links.length, 2);
  assert.deepEqual(
    rig.links.map(({ live }) => live),
    [2, 2],
  );
  assert.equal(first.error, undefined);
});
