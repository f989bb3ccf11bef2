import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { MessageType } from "../../support/binary.ts";
import type { RawClient } from "../../support/raw-client.ts";
import { NetRig } from "./net-rig.ts";

const bounded = { timeout: 20_000 };
const garbage = Buffer.from([0, 0, 0, 12, 0x80, 1, 0, 9, ...Array<number>(8).fill(0xee)]);

function encodeMany(client: RawClient, name: string, count: number, from = 1): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, at) => client.encode(name, from + at)));
}

const seqidsOf = (client: RawClient): number[] => client.replies.map(({ seqid }) => seqid);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

describe("a connection", bounded, () => {
  it("answers in the order of the requests, whatever order the answers come in", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.write(encodeMany(client, "add", 5));
    const calls = [...(await rig.handed(5))];
    for (const at of [3, 1, 0, 4, 2]) rig.reply([calls[at]!]);
    await client.reply(5);
    assert.deepEqual(seqidsOf(client), [1, 2, 3, 4, 5]);
    assert.deepEqual(rig.counts, { completed: 5 });
  });

  it("answers as soon as it can when the order is any", async (t) => {
    const rig = await new NetRig(t, { replyOrder: "any" }).listen();
    const client = await rig.connect();
    client.write(encodeMany(client, "add", 3));
    const calls = [...(await rig.handed(3))];
    for (const at of [2, 0, 1]) rig.reply([calls[at]!]);
    await client.reply(2);
    assert.deepEqual(seqidsOf(client), [3, 1, 2]);
  });

  it("lets no oneway hold up a reply", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.write(Buffer.concat([client.encode("note", 1, {}, MessageType.ONEWAY), client.encode("add", 2)]));
    const [note, add] = await rig.handed(2);
    rig.reply([add!]);
    await client.reply(2);
    assert.deepEqual(rig.counts, { completed: 1, owed: 1 });
    rig.reply([note!], 0, "oneway");
    assert.deepEqual(rig.counts, { completed: 1, oneway: 1 });
  });

  it("takes messages that come byte by byte", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    const bytes = encodeMany(client, "add", 3);
    for (const byte of bytes) {
      const read = rig.connections.counts.bytesRead;
      client.write(Buffer.from([byte]));
      await rig.until(() => rig.connections.counts.bytesRead > read);
    }
    rig.reply([...(await rig.handed(3))]);
    await client.reply(3);
    assert.deepEqual(seqidsOf(client), [1, 2, 3]);
  });

  it("answers any number of calls that need no worker, read at once", async (t) => {
    const rig = await new NetRig(t, { maxInFlightPerConnection: 16 }).listen();
    const client = await rig.connect();
    client.write(Buffer.concat([encodeMany(client, "getName", 500), encodeMany(client, "what", 500, 501)]));
    await client.reply(1000);
    assert.deepEqual(seqidsOf(client), upTo(1000));
  });

  it("keeps apart the bytes of connections that are read in turn", async (t) => {
    const rig = await new NetRig(t).listen();
    const clients = [await rig.connect(), await rig.connect(), await rig.connect()];
    const messages = clients.map((client, at) =>
      client.encode("add", at + 1, { 1: { string: "abc"[at]!.repeat(3000) } }),
    );
    for (const half of [0, 1]) {
      for (const [at, client] of clients.entries()) {
        const read = rig.connections.counts.bytesRead;
        client.write(half === 0 ? messages[at]!.subarray(0, 1500) : messages[at]!.subarray(1500));
        await rig.until(() => rig.connections.counts.bytesRead > read);
      }
    }
    const calls = await rig.handed(3);
    for (const call of calls) {
      const letter = "abc"[call.seqid - 1]!;
      assert.ok(call.bytes!.toString("latin1").includes(letter.repeat(3000)), `the call of ${letter}`);
    }
  });
});

describe("a connection with much in flight", bounded, () => {
  it("takes no more calls than it may, and goes on when some are answered", async (t) => {
    const rig = await new NetRig(t, { maxInFlightPerConnection: 10 }).listen();
    const client = await rig.connect();
    client.write(encodeMany(client, "add", 35));
    for (const taken of [10, 20, 30, 35]) {
      const calls = await rig.handed(taken);
      assert.equal(calls.length, taken);
      rig.reply(calls.slice(Math.floor((taken - 1) / 10) * 10, taken));
    }
    await client.reply(35);
    assert.deepEqual(seqidsOf(client), upTo(35));
  });

  it("stops reading while its reader is slow, and loses nothing", async (t) => {
    const rig = await new NetRig(t, { writeHighWaterBytes: 100_000 }).listen();
    const client = await rig.connect();
    client.socket.pause();
    client.write(encodeMany(client, "add", 8));
    rig.reply([...(await rig.handed(8))], 2_000_000);
    assert.ok(rig.counts["owed"]! > 0, "the kernel has not taken all");
    client.write(encodeMany(client, "add", 1, 9));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(rig.lanes.handed.length, 8, "nothing more is read");
    client.socket.resume();
    rig.reply((await rig.handed(9)).slice(8));
    await client.reply(9);
    assert.deepEqual(seqidsOf(client), upTo(9));
    await rig.until(() => rig.counts["completed"] === 9);
  });

  it("stops when no lane has room, and goes on when one has", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    rig.lanes.waiting = 1;
    client.write(encodeMany(client, "add", 1));
    rig.reply([...(await rig.handed(1))]);
    await client.reply(1);
    client.write(encodeMany(client, "add", 1, 2));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(rig.lanes.handed.length, 1);
    rig.lanes.waiting = 0;
    rig.desk.roomAgain();
    assert.equal((await rig.handed(2)).length, 2);
  });
});

describe("the client's end of a connection", bounded, () => {
  it("may be half-closed: every reply still comes, then FIN", async (t) => {
    const rig = await new NetRig(t, { maxInFlightPerConnection: 2 }).listen();
    const client = await rig.connect();
    client.write(encodeMany(client, "add", 5));
    client.end();
    for (const taken of [2, 4, 5])
      rig.reply((await rig.handed(taken)).slice(taken - (taken === 5 ? 1 : 2), taken));
    assert.equal(await client.ended, "fin");
    assert.deepEqual(seqidsOf(client), upTo(5));
    await rig.until(() => rig.connections.size === 0);
    assert.deepEqual(rig.connections.counts.closedBy, { peer: 1 });
  });

  it("may be half-closed while no lane has room: what was read whole is run all the same", async (t) => {
    const rig = await new NetRig(t, { maxInFlightPerConnection: 1 }).listen();
    const client = await rig.connect();
    rig.lanes.waiting = 1;
    client.write(encodeMany(client, "add", 2));
    client.end();
    rig.reply([...(await rig.handed(1))]);
    await client.reply(1);
    rig.lanes.waiting = 0;
    rig.desk.roomAgain();
    rig.reply((await rig.handed(2)).slice(1));
    assert.equal(await client.ended, "fin");
    assert.deepEqual(seqidsOf(client), [1, 2]);
  });

  it("may go away in the middle of calls: their replies are orphaned", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.write(
      Buffer.concat([encodeMany(client, "add", 2), client.encode("note", 3, {}, MessageType.ONEWAY)]),
    );
    const calls = [...(await rig.handed(3))];
    client.socket.resetAndDestroy();
    await rig.until(() => rig.connections.size === 0);
    assert.deepEqual(rig.counts, { owed: 3 });
    rig.reply([calls[1]!, calls[0]!]);
    rig.reply([calls[2]!], 0, "oneway");
    assert.deepEqual(rig.counts, { orphaned: 2, orphanedStarted: 2, oneway: 1 });
  });

  it("may go away while nothing is read from it: no reply counts as completed", async (t) => {
    const rig = await new NetRig(t, { maxInFlightPerConnection: 2 }).listen();
    const client = await rig.connect();
    client.write(encodeMany(client, "add", 2));
    const calls = [...(await rig.handed(2))];
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
    rig.reply([calls[0]!]);
    rig.reply([calls[1]!]);
    await rig.until(() => rig.connections.size === 0);
    const { completed = 0, orphaned = 0 } = rig.counts;
    assert.equal(completed + orphaned, 2);
    assert.equal(completed, 0);
  });

  it("may be gone between two replies, before anybody heard of it", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.write(encodeMany(client, "add", 2));
    const calls = [...(await rig.handed(2))];
    // Destroyed, but its `close` comes with a later turn only.
    rig.connections.destroyAll();
    rig.reply(calls);
    assert.deepEqual(rig.counts, { orphaned: 2, orphanedStarted: 2 });
  });
});

describe("bytes that are no message", bounded, () => {
  it("end their connection, and are counted by kind outside of the calls", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.write(Buffer.from("SSH-2.0-client\r\n"));
    assert.equal(await client.ended, "fin");
    client.end();
    assert.deepEqual(rig.counts, { malformed: 1 });
    assert.deepEqual(rig.connections.counts.malformedBy, { "unknown-protocol": 1 });
    await rig.until(() => rig.connections.size === 0);
    assert.deepEqual(rig.connections.counts.closedBy, { malformed: 1 });
  });

  it("do not cost the calls before them their replies", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.write(Buffer.concat([encodeMany(client, "add", 2), garbage, encodeMany(client, "add", 1, 3)]));
    const calls = [...(await rig.handed(2))];
    await rig.until(() => rig.counts["malformed"] === 1);
    rig.reply([calls[1]!]);
    rig.reply([calls[0]!]);
    assert.equal(await client.ended, "fin");
    assert.deepEqual(seqidsOf(client), [1, 2]);
    assert.deepEqual(rig.counts, { completed: 2, malformed: 1 });
    assert.equal(rig.lanes.handed.length, 2, "nothing behind them is run");
  });
});
