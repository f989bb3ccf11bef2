import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leavesAtMs, ReadingWatch } from "../../../src/net/time-limits.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";
import { NetRig } from "./net-rig.ts";

const bounded = { timeout: 20_000 };
const none = {
  idleTimeoutMs: undefined,
  partialFrameTimeoutMs: undefined,
  writeTimeoutMs: undefined,
  maxConnectionAgeMs: undefined,
};

describe("writeTimeout", bounded, () => {
  it("closes a connection whose peer reads nothing of its replies, which are orphaned, and no other", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, writeTimeoutMs: 1000 }).listen();
    const [deaf, idle] = [await rig.connect(), await rig.connect()];
    await rig.until(() => rig.connections.size === 2);
    deaf.socket.pause();
    deaf.send("add");
    rig.reply(await rig.handed(1), 15 * 1024 * 1024);
    clock.advance(900);
    assert.equal(rig.connections.size, 2);
    clock.advance(600);
    await rig.until(() => rig.connections.size === 1);
    assert.deepEqual(rig.connections.counts.closedBy, { timeout: 1 });
    assert.deepEqual(rig.counts, { orphaned: 1, orphanedStarted: 1 });
    idle.send("add");
    rig.reply((await rig.handed(2)).slice(1));
    await idle.reply(1);
  });

  it("leaves one alone that reads slowly", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, writeTimeoutMs: 1000 }).listen();
    const client = await rig.connect();
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      client.socket.pause();
      // Each chunk takes most of what is allowed.
      clock.advance(30);
      setImmediate(() => client.socket.resume());
    });
    client.send("add");
    const bytes = 15 * 1024 * 1024;
    rig.reply(await rig.handed(1), bytes);
    await rig.until(() => received > bytes);
    assert.ok(clock.now() > 1_000_000 + 2000, "it took longer than the limit");
    assert.equal(rig.connections.size, 1);
    assert.deepEqual(rig.counts, { completed: 1 });
  });

  it("counts from the last byte that was taken", () => {
    const watch = new ReadingWatch();
    assert.equal(watch.note(100, 10), 0);
    assert.equal(watch.note(100, 20), 10);
    assert.equal(watch.note(150, 30), 20, "more to read is no progress");
    assert.equal(watch.note(149, 40), 0);
    assert.equal(watch.note(0, 50), 0);
    assert.equal(watch.note(0, 5000), 0);
    assert.equal(watch.note(7, 6000), 0, "what was written now has not waited");
  });
});

describe("maxConnectionAge", bounded, () => {
  it("closes a connection that is silent, as a drain does, and counts it apart", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxConnectionAgeMs: 10_000 }).listen();
    const client = await rig.connect();
    await rig.until(() => rig.connections.size === 1);
    clock.advance(8900);
    client.send("add");
    rig.reply(await rig.handed(1));
    await client.reply(1);
    clock.advance(2500);
    assert.equal(await client.ended, "fin");
    client.end();
    await rig.until(() => rig.connections.size === 0);
    assert.deepEqual(rig.connections.counts.closedBy, { age: 1 });
  });

  it("answers the call that is in flight, and then closes", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxConnectionAgeMs: 10_000 }).listen();
    const client = await rig.connect();
    client.send("add");
    const calls = await rig.handed(1);
    clock.advance(20_000);
    assert.equal(rig.connections.size, 1);
    rig.reply(calls);
    assert.equal((await client.reply(1)).seqid, 1);
    assert.equal(await client.ended, "fin");
    assert.deepEqual(rig.counts, { completed: 1 });
  });

  it("refuses what is sent further to a connection that is never silent", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxConnectionAgeMs: 10_000 }).listen();
    const client = await rig.connect();
    client.send("add");
    const calls = await rig.handed(1);
    client.write(client.encode("add", 2).subarray(0, 10));
    await rig.until(() => rig.connections.counts.bytesRead > client.encode("add", 1).length);
    clock.advance(20_000);
    rig.reply(calls);
    await client.reply(1);
    assert.equal(await client.ended, "fin");
    assert.equal(rig.lanes.handed.length, 1);
  });

  it("differs by a tenth at most, so that connections do not leave together", () => {
    const limits = { ...none, maxConnectionAgeMs: 1000 };
    assert.deepEqual(
      [0, 0.5, 0.999].map((random) => Math.round(leavesAtMs(limits, 5000, random))),
      [5900, 6000, 6100],
    );
    assert.equal(leavesAtMs(none, 5000, 0.5), Number.POSITIVE_INFINITY);
  });
});
