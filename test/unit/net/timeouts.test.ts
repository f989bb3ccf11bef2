import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../lifecycle/fake-clock.ts";
import { NetRig } from "./net-rig.ts";

const bounded = { timeout: 20_000 };

describe("the time limits of connections", bounded, () => {
  it("close one that does nothing for idleTimeout, and no other", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, idleTimeoutMs: 1000 }).listen();
    const [idle, busy] = [await rig.connect(), await rig.connect()];
    await rig.until(() => rig.connections.size === 2);
    busy.send("add");
    const calls = [...(await rig.handed(1))];
    clock.advance(2000);
    assert.equal(await idle.ended, "fin");
    rig.reply(calls);
    await busy.reply(1);
    idle.end();
    await rig.until(() => rig.connections.size === 1);
    assert.deepEqual(rig.connections.counts.closedBy, { timeout: 1 });
  });

  it("close one whose message does not become whole in time", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, partialFrameTimeoutMs: 1000 }).listen();
    const client = await rig.connect();
    client.write(client.encode("add", 1).subarray(0, 10));
    await rig.until(() => rig.connections.counts.bytesRead === 10);
    clock.advance(900);
    client.write(client.encode("add", 1).subarray(10, 12));
    await rig.until(() => rig.connections.counts.bytesRead === 12);
    clock.advance(500);
    assert.equal(await client.ended, "fin", "a byte now and then does not help");
  });

  it("leave one alone whose reads end inside messages again and again", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, partialFrameTimeoutMs: 1000 }).listen();
    const client = await rig.connect();
    const message = client.encode("add", 1);
    let sent = 0;
    client.write(message.subarray(0, 10));
    for (let round = 1; round <= 5; round++) {
      sent += round === 1 ? 10 : message.length;
      await rig.until(() => rig.connections.counts.bytesRead === sent);
      clock.advance(400);
      client.write(Buffer.concat([message.subarray(10), message.subarray(0, 10)]));
      const calls = await rig.handed(round);
      rig.reply(calls.slice(round - 1));
      await rig.until(() => client.replies.length === round);
    }
    assert.equal(rig.connections.size, 1);
  });
});
