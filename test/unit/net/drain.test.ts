import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { MessageType } from "../../support/binary.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";
import { NetRig } from "./net-rig.ts";

const bounded = { timeout: 20_000 };

describe("connections in a drain", bounded, () => {
  it("are half-closed when they are silent, and all are gone then", async (t) => {
    const rig = await new NetRig(t).listen();
    const clients = [await rig.connect(), await rig.connect()];
    await rig.until(() => rig.connections.size === 2);
    const empty = new Promise<void>((resolve) => {
      rig.connections.onEmpty = resolve;
    });
    rig.connections.drain();
    for (const client of clients) assert.equal(await client.ended, "fin");
    for (const client of clients) client.end();
    await empty;
    assert.deepEqual(rig.connections.counts.closedBy, { drain: 2 });
  });

  it("keep what is in flight until it is answered, then get FIN behind the reply", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.send("add");
    const calls = [...(await rig.handed(1))];
    rig.connections.drain();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(client.replies.length, 0);
    rig.reply(calls);
    assert.equal(await client.ended, "fin");
    assert.equal(client.replies.length, 1);
    assert.deepEqual(rig.counts, { completed: 1 });
  });

  it("are still served while they are not silent yet", async (t) => {
    const rig = await new NetRig(t, { quietMs: 100, busyCloseMs: 1000 }).listen();
    const client = await rig.connect();
    client.send("add");
    rig.reply([...(await rig.handed(1))]);
    await client.reply(1);
    rig.connections.drain();
    client.send("add");
    rig.reply((await rig.handed(2)).slice(1));
    assert.equal((await client.reply(2)).type, MessageType.REPLY);
    assert.equal(await client.ended, "fin");
  });

  it("refuse once each, typed, what was read whole behind calls that outlasted busyClose", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxInFlightPerConnection: 1 }).listen();
    const client = await rig.connect();
    client.write(Buffer.concat([1, 2, 3].map((seqid) => client.encode("add", seqid))));
    const calls = [...(await rig.handed(1))];
    rig.connections.drain();
    clock.advance(200);
    rig.reply(calls);
    assert.equal(await client.ended, "fin");
    assert.deepEqual(
      client.replies.map(({ seqid, type }) => [seqid, type]),
      [
        [1, MessageType.REPLY],
        [2, MessageType.EXCEPTION],
        [3, MessageType.EXCEPTION],
      ],
    );
    assert.deepEqual(rig.counts, { completed: 1, rejected: 2 });
    assert.equal(rig.lanes.handed.length, 1);
  });

  it("refuse too what the kernel had when reading stopped long before", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxInFlightPerConnection: 1 }).listen();
    const client = await rig.connect();
    client.send("add");
    const calls = [...(await rig.handed(1))];
    // Nobody reads it: one call is in flight. It is in the kernel when this connection's writes are.
    await new Promise<void>((resolve) => client.socket.write(client.encode("add", 2), () => resolve()));
    rig.connections.drain();
    clock.advance(200);
    rig.reply(calls);
    assert.equal(await client.ended, "fin");
    assert.deepEqual(
      client.replies.map(({ seqid, type }) => [seqid, type]),
      [
        [1, MessageType.REPLY],
        [2, MessageType.EXCEPTION],
      ],
    );
    assert.deepEqual(rig.counts, { completed: 1, rejected: 1 });
  });

  it("are not silent while no lane has room and so nobody reads them", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock }).listen();
    const client = await rig.connect();
    rig.lanes.waiting = 1;
    client.send("add");
    rig.reply([...(await rig.handed(1))]);
    await client.reply(1);
    await new Promise<void>((resolve) => client.socket.write(client.encode("add", 2), () => resolve()));
    rig.connections.drain();
    clock.advance(100);
    await rig.until(turnsPassed(10));
    rig.lanes.waiting = 0;
    rig.desk.roomAgain();
    rig.reply((await rig.handed(2)).slice(1));
    assert.equal((await client.reply(2)).type, MessageType.REPLY);
    clock.advance(20);
    assert.equal(await client.ended, "fin");
    assert.deepEqual(rig.counts, { completed: 2 });
  });

  it("are read before they count as silent when there is room again at last", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock }).listen();
    const client = await rig.connect();
    rig.lanes.waiting = 1;
    client.send("add");
    rig.reply([...(await rig.handed(1))]);
    await client.reply(1);
    await new Promise<void>((resolve) => client.socket.write(client.encode("add", 2), () => resolve()));
    rig.connections.drain();
    clock.advance(100);
    // There is room when another socket has just been read, as it is when a worker tells it.
    const other = connect(rig.port, "127.0.0.1");
    t.after(() => other.destroy());
    await once(other, "connect");
    rig.lanes.waiting = 0;
    rig.desk.roomAgain();
    rig.reply((await rig.handed(2)).slice(1));
    assert.equal((await client.reply(2)).type, MessageType.REPLY);
    clock.advance(20);
    assert.equal(await client.ended, "fin");
  });

  it("are not read to the end of a flood", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxInFlightPerConnection: 1 }).listen();
    const client = await rig.connect();
    // Makes the kernel's receive buffer large.
    client.send("add", { 1: { string: "x".repeat(12e6) } });
    const calls = [...(await rig.handed(1))];
    const call = client.encode("add", 2);
    client.write(Buffer.concat(Array.from({ length: Math.ceil(4e6 / call.length) }, () => call)));
    rig.connections.drain();
    clock.advance(200);
    rig.reply(calls);
    assert.equal(await client.ended, "fin");
    // A megabyte, and the read that went beyond it.
    const rejected = rig.counts["rejected"] ?? 0;
    assert.ok(rejected * call.length <= (1024 + 256) * 1024, `${rejected} calls were read`);
  });

  it("refuse that too when the client had half-closed meanwhile", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock, maxInFlightPerConnection: 1 }).listen();
    const client = await rig.connect();
    client.write(Buffer.concat([1, 2, 3].map((seqid) => client.encode("add", seqid))));
    client.end();
    const calls = [...(await rig.handed(1))];
    rig.connections.drain();
    clock.advance(200);
    rig.reply(calls);
    assert.equal(await client.ended, "fin");
    assert.deepEqual(
      client.replies.map(({ seqid }) => seqid),
      [1, 2, 3],
    );
  });

  it("go on reading behind our FIN, so that no reset destroys a reply", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock }).listen();
    const client = await rig.connect();
    client.socket.pause();
    client.send("add");
    rig.reply([...(await rig.handed(1))], 100_000);
    rig.connections.drain();
    clock.advance(20);
    // It keeps sending into the closing connection, and reads late.
    client.write(Buffer.alloc(100_000));
    const { bytesRead } = rig.connections.counts;
    await rig.until(() => rig.connections.counts.bytesRead >= bytesRead + 100_000);
    client.socket.resume();
    assert.equal(await client.ended, "fin");
    assert.equal(client.replies.length, 1);
  });

  it("are cut off when they go on sending without end behind our FIN", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock }).listen();
    const client = await rig.connect();
    await rig.until(() => rig.connections.size === 1);
    clock.advance(20);
    rig.connections.drain();
    assert.equal(await client.ended, "fin");
    client.write(Buffer.alloc(rig.connections.maxDiscardedBytes + (4 << 20)));
    await rig.until(() => rig.connections.size === 0);
    assert.ok(rig.connections.counts.bytesRead <= rig.connections.maxDiscardedBytes + (1 << 20));
  });

  it("are given up when their peer does not close either", async (t) => {
    const clock = new FakeClock();
    const rig = await new NetRig(t, { clock }).listen();
    const client = await rig.connect();
    await rig.until(() => rig.connections.size === 1);
    clock.advance(20);
    rig.connections.drain();
    assert.equal(await client.ended, "fin");
    assert.equal(rig.connections.size, 1);
    clock.advance(1000);
    await rig.until(() => rig.connections.size === 0);
  });

  it("are taken in until the kernel's queue is empty, and served", async (t) => {
    const rig = await new NetRig(t).listen();
    const { port } = rig;
    const sockets = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
    t.after(() => sockets.forEach((socket) => void socket.destroy()));
    const ends = sockets.map((socket) =>
      once(socket.resume(), "close").then(
        () => "fin",
        (error) => error,
      ),
    );
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    await rig.acceptor.close();
    assert.equal(rig.connections.size, 100);
    rig.connections.drain();
    assert.deepEqual(new Set(await Promise.all(ends)), new Set(["fin"]));
  });
});

/** So many turns of the event loop. */
function turnsPassed(count: number): () => boolean {
  let left = count;
  return () => left-- === 0;
}
