/** Connections change to the shared buffer after their first read: no byte may be lost, and a pause has to hold. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import { Acceptor } from "../../../src/net/acceptor.ts";
import { encodeCall, frame } from "../../support/binary.ts";
import { NetRig } from "./net-rig.ts";

const frames = [1, 2, 3].map((seqid) => frame(encodeCall("add", seqid, {})));
const bounded = { timeout: 20_000 };

describe("the first bytes of a connection", bounded, () => {
  it("reach the calls they belong to, wherever they are split in two or three", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    const bytes = Buffer.concat([client.encode("add", 1), client.encode("add", 2)]);
    for (let first = 1; first < bytes.length; first++) {
      const split = await rig.connect();
      const before = rig.connections.counts.bytesRead;
      const second = Math.min(bytes.length, first + 5);
      let sent = 0;
      for (const end of [first, second, bytes.length]) {
        split.write(bytes.subarray(sent, end));
        sent = end;
        await rig.until(() => rig.connections.counts.bytesRead === before + end);
      }
      const calls = await rig.handed(2 * first);
      rig.reply(calls.slice(-2));
      await split.reply(2);
      split.socket.destroy();
    }
    assert.equal(rig.counts["completed"], 2 * (bytes.length - 1));
  });

  it("may come with a FIN", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    client.socket.end(client.encode("add", 1));
    rig.reply(await rig.handed(1));
    await client.reply(1);
    assert.equal(await client.ended, "fin");
  });

  it("may be held by the socket when it is taken in", async (t) => {
    const rig = new NetRig(t);
    const acceptor = new Acceptor((socket) => {
      socket.pause();
      // As if they had been read one by one.
      const call = Buffer.concat([frames[0]!, frames[1]!]);
      for (const byte of call.toReversed()) socket.unshift(Buffer.of(byte));
      rig.connections.accept(socket);
      socket.resume();
    }, 10);
    t.after(() => acceptor.close());
    await acceptor.listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    const socket: Socket = connect((acceptor.address as { port: number }).port, "127.0.0.1");
    t.after(() => socket.destroy());
    await once(socket, "connect");
    const calls = [...(await rig.handed(2))];
    socket.write(frames[2]!);
    assert.deepEqual(
      [...calls, ...(await rig.handed(3)).slice(2)].map(({ seqid }) => seqid),
      [1, 2, 3],
    );
  });

  it("may be a lone first byte of a zlib stream", async (t) => {
    const rig = await new NetRig(t).listen();
    const client = await rig.connect();
    const bytes = deflateSync(client.encode("add", 7));
    client.write(bytes.subarray(0, 1));
    await rig.until(() => rig.connections.counts.bytesRead === 1);
    client.write(bytes.subarray(1));
    const [call] = await rig.handed(1);
    assert.equal(call!.seqid, 7);
  });
});

it("a pause holds although it comes with the first read", bounded, async (t) => {
  const rig = await new NetRig(t, { maxInFlightPerConnection: 1 }).listen();
  const client = await rig.connect();
  const message = client.encode("add", 1, { 1: { string: "x".repeat(4000) } });
  client.write(Buffer.concat(Array.from({ length: 2000 }, () => message)));
  await rig.handed(1);
  // More would be read in any of these turns.
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(
    rig.connections.counts.bytesRead <= 256 * 1024,
    `${rig.connections.counts.bytesRead} bytes were read`,
  );
});
