import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { constants, createDeflate, deflateSync, inflateSync } from "node:zlib";
import { decodeMessage, encodeCall, frame, type Message, MessageType } from "../../support/binary.ts";
import { fixture, startServer } from "../../support/server-process.ts";

function open(t: TestContext, port: number): Socket {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  t.after(() => socket.destroy());
  return socket;
}

/** The unframed replies in what a server sent until its FIN. */
function messagesIn(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; at += messages.at(-1)!.length) messages.push(decodeMessage(bytes, at)!);
  return messages;
}

function inflatedPrefix(bytes: Buffer): Buffer {
  return inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
}

test("what is no Thrift is closed within a second, logged once with its peer, and counted by kind", async (t) => {
  const server = await startServer(t, { modules: [fixture("kinds")] });
  const kinds: readonly [string, Buffer | string][] = [
    ["unknown-protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["unknown-protocol", "EHLO example\r\n"],
    ["unknown-protocol", "*1\r\n$4\r\nPING\r\n"],
    ["unknown-protocol", Buffer.alloc(64, 0xff)],
    ["unknown-protocol", Buffer.from([0x80, 0x02, 0, 1])],
    ["unknown-protocol", Buffer.from([0x82, 0x22, 0, 0])],
    ["unknown-protocol", "xyz"],
    ["unknown-protocol", Buffer.from([0, 0, 0, 20, 0x0f, 0xfe, 0, 0])],
    ["bad-header", '{"json": "but no message"}'.replace("{", "[")],
    ["bad-json", '[1,"nothing",1,0,{"1":;'],
    ["bad-message-type", frame(encodeCall("nothing", 1, {}, 2))],
    ["frame-too-large", Buffer.from([0x00, 0xff, 0xff, 0xff, 0x80, 0x01, 0, 1])],
    ["bad-compression", Buffer.from([0x78, 0x9c, 0xff, 0xff, 0xff])],
    ["unknown-protocol", deflateSync(deflateSync("a stream in a stream"))],
  ];
  for (const [kind, bytes] of kinds) {
    const socket = open(t, server.port);
    await once(socket, "connect");
    const { localAddress, localPort } = socket;
    const sentAtMs = performance.now();
    socket.write(bytes);
    assert.equal((await buffer(socket)).length, 0);
    assert.ok(performance.now() - sentAtMs < 1000);
    socket.end();
    const line = await server.line((line) => line["peer"] === `${localAddress}:${localPort}`);
    assert.equal(line["kind"], kind, String(bytes));
  }
  const warnings = server.lines.filter((line) => line["level"] === "warn");
  assert.equal(warnings.length, kinds.length);
  const { limits } = (await (await fetch(`${server.adminUrl}/statusz`)).json()) as {
    limits: { malformed: Record<string, number> };
  };
  const expected = new Map<string, number>();
  for (const [kind] of kinds) expected.set(kind, (expected.get(kind) ?? 0) + 1);
  assert.deepEqual(limits.malformed, Object.fromEntries(expected));
  const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
  for (const [kind, count] of expected) {
    assert.ok(metrics.includes(`sluice_malformed_messages_total{kind="${kind}"} ${count}\n`), kind);
  }
});

test("fewer bytes than tell anything, and then nothing, end by partialFrameTimeout", async (t) => {
  const server = await startServer(t, {
    modules: [fixture("kinds")],
    args: ["--partial-frame-timeout", "300ms"],
  });
  const beginnings = ["\0", "\0\0\0\u0010\u0000", "\u0080", "\u0082", "[", '[1,"noth', "x", "x\u009c"];
  await Promise.all(
    beginnings.map(async (beginning) => {
      const socket = open(t, server.port);
      socket.write(Buffer.from(beginning, "latin1"));
      assert.equal((await buffer(socket)).length, 0, beginning);
      socket.end();
    }),
  );
});

test("a zlib connection gets its replies in order, compressed and at once, and all of them after its FIN", async (t) => {
  const { port } = await startServer(t, { modules: [fixture("kinds")] });
  const socket = open(t, port);
  const deflate = createDeflate();
  deflate.pipe(socket, { end: false });
  let compressed: Buffer = Buffer.alloc(0);
  let arrived = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    compressed = Buffer.concat([compressed, chunk]);
    arrived.resolve();
  });
  deflate.write(encodeCall("nothing", 1, {}));
  deflate.flush(constants.Z_SYNC_FLUSH);
  await arrived.promise;
  // The stream goes on, and what has come of it is a whole reply.
  assert.deepEqual(
    messagesIn(inflatedPrefix(compressed)).map(({ seqid }) => seqid),
    [1],
  );
  arrived = Promise.withResolvers<void>();
  const count = 200;
  for (let seqid = 2; seqid <= count; seqid++) {
    const large = seqid % 50 === 0;
    deflate.write(
      encodeCall(large ? "blob" : "sleep", seqid, { 1: { i32: large ? 2_000_000 : (seqid * 7) % 5 } }),
    );
  }
  deflate.flush(constants.Z_SYNC_FLUSH, () => socket.end());
  await once(socket, "end");
  const replies = messagesIn(inflatedPrefix(compressed));
  assert.deepEqual(
    replies.map(({ seqid, type }) => [seqid, type]),
    Array.from({ length: count }, (_, index) => [index + 1, MessageType.REPLY]),
  );
  assert.ok(compressed.length < 200_000);
});

test("a zlib stream that breaks ends its connection behind the replies to what came before", async (t) => {
  const server = await startServer(t, { modules: [fixture("kinds")] });
  const socket = open(t, server.port);
  const received = buffer(socket);
  const good = deflateSync(encodeCall("nothing", 4, {}), { finishFlush: constants.Z_SYNC_FLUSH });
  socket.write(good);
  await once(socket, "readable").catch(() => {});
  socket.write(Buffer.alloc(100, 0xff));
  assert.deepEqual(
    messagesIn(inflatedPrefix(await received)).map(({ seqid }) => seqid),
    [4],
  );
  socket.end();
  await server.line((line) => line["kind"] === "bad-compression");
});

test("a zlib stream that would decompress to gigabytes takes no memory to speak of", async (t) => {
  const server = await startServer(t, { modules: [fixture("kinds")] });
  // A string of 90 MB is within the limits, and never comes to its end; then one that is too large.
  const head = encodeCall("header", 1, { 1: { string: "" } });
  const cases: readonly [number, RegExp][] = [
    [200 * 1024 * 1024, /string of length 209715200/],
    [2 ** 31 - 1, /string of length/],
  ];
  for (const [claimed, error] of cases) {
    const message = Buffer.from(head);
    message.writeInt32BE(claimed, message.length - 5);
    const socket = open(t, server.port);
    socket.on("error", () => {});
    socket.write(deflateSync(Buffer.concat([message, Buffer.alloc(64 * 1024 * 1024)])));
    await buffer(socket).catch(() => {});
    socket.end();
    await server.line((line) => error.test(String(line["error"])));
  }
});
