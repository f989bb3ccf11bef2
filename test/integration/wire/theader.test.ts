import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { deflateSync } from "node:zlib";
import { decodeMessage, encodeCall, type Fields, type Message, MessageType } from "../../support/binary.ts";
import { fixture, type ServerProcess, startServer } from "../../support/server-process.ts";
import { decodeTheader, type TheaderFrame } from "../../support/theader.ts";
import { framed, type TheaderParts, theader } from "../../unit/wire/cutter-support.ts";

const outOfOrder = 0x01;

function start(t: TestContext, ...args: string[]): Promise<ServerProcess> {
  return startServer(t, { modules: [fixture("kinds")], args });
}

type Reply = TheaderFrame & Message;

/** A client that speaks THeader with the binary protocol. */
class Client {
  readonly socket: Socket;
  readonly #frames: AsyncIterator<Reply>;

  constructor(t: TestContext, port: number) {
    this.socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    t.after(() => this.socket.destroy());
    this.#frames = this.#read();
  }

  send(name: string, args: Fields, parts: Omit<TheaderParts, "protocolId"> = {}): this {
    const type = name === "note" ? MessageType.ONEWAY : MessageType.CALL;
    this.socket.write(theader(encodeCall(name, 77, args, type), { protocolId: 0, ...parts }));
    return this;
  }

  /** The next reply, or undefined when the server has sent FIN. */
  async next(): Promise<Reply> {
    const { value, done } = await this.#frames.next();
    if (done === true) throw new Error("the server sent FIN");
    return value as Reply;
  }

  async *#read(): AsyncGenerator<Reply> {
    let buffer: Buffer = Buffer.alloc(0);
    for await (const chunk of this.socket) {
      buffer = Buffer.concat([buffer, chunk as Buffer]);
      for (let frame = decodeTheader(buffer); frame !== undefined; frame = decodeTheader(buffer)) {
        buffer = buffer.subarray(frame.length);
        const message = decodeMessage(frame.payload)!;
        yield { ...message, ...frame };
      }
    }
  }
}

test("a reply has its request's protocol, transform, flags and THeader seqid, and says nothing else", async (t) => {
  const { port } = await start(t);
  const client = new Client(t, port);
  for (const transforms of [[], [1]]) {
    for (const [flags, seqid] of [
      [0, 5],
      [outOfOrder | 0x4000, -9],
    ] as const) {
      client.send(
        "header",
        { 1: { string: "who" } },
        { flags, seqid, transforms, headers: { who: "me", other: "" } },
      );
      const reply = await client.next();
      assert.equal(reply.type, MessageType.REPLY);
      assert.deepEqual(
        { flags: reply.flags, seqid: reply.seqid, transforms: reply.transforms, headers: reply.headers },
        { flags, seqid, transforms, headers: {} },
      );
      assert.equal(String(reply.body[0]), "me");
    }
  }
});

test("many calls in one segment keep their own headers, long ones and compressed ones too", async (t) => {
  const { port } = await start(t);
  const client = new Client(t, port);
  const values = Array.from({ length: 300 }, (_, index) =>
    `${index} `.repeat(index === 150 ? 65_525 : 1 + (index % 7)),
  );
  client.socket.cork();
  for (const [index, value] of values.entries()) {
    client.send(
      "header",
      { 1: { string: "value" } },
      { headers: { value }, seqid: index, transforms: index % 5 === 0 ? [1] : [] },
    );
  }
  client.socket.uncork();
  for (const [index, value] of values.entries()) {
    const reply = await client.next();
    assert.equal(reply.seqid, index);
    assert.equal(String(reply.body[0]), value);
  }
});

test("persistent headers count for later calls of the connection, and no client can pretend a certificate", async (t) => {
  const { port } = await start(t);
  const client = new Client(t, port);
  const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
  const block = Buffer.from([
    ...[2, 1, ...text("kept"), ...text("first")],
    ...[1, 2, ...text("own"), ...text("x"), ...text("SLUICE-peer-certificate"), ...text("{}")],
  ]);
  const ask = async (name: string, parts = {}): Promise<string> => {
    client.send("header", { 1: { string: name } }, parts);
    return String((await client.next()).body[0]);
  };
  assert.equal(await ask("own", { block }), "x");
  assert.equal(await ask("SLUICE-peer-certificate", { block }), "");
  assert.equal(await ask("kept"), "first");
  assert.equal(await ask("own"), "");
  assert.equal(await ask("kept", { headers: { kept: "mine" } }), "mine");
  assert.equal(await ask("kept", { transforms: [1] }), "first");
});

test("the out-of-order flag lets replies overtake each other; without it they keep the order", async (t) => {
  const { port } = await start(t);
  const client = new Client(t, port);
  client.send("sleep", { 1: { i32: 200 } }, { seqid: 1, flags: outOfOrder });
  client.send("nothing", {}, { seqid: 2, flags: outOfOrder });
  assert.deepEqual([(await client.next()).seqid, (await client.next()).seqid], [2, 1]);
  client.send("sleep", { 1: { i32: 200 } }, { seqid: 3 });
  client.send("nothing", {}, { seqid: 4 });
  client.send("nothing", {}, { seqid: 5, flags: outOfOrder });
  assert.deepEqual(
    [(await client.next()).seqid, (await client.next()).seqid, (await client.next()).seqid],
    [5, 3, 4],
  );
});

test("client_timeout is the call's deadline: handlers see it, and it is kept", async (t) => {
  const server = await start(t);
  const client = new Client(t, server.port);
  client.send("deadline", {}, { headers: { client_timeout: "60000" } });
  const left = Number((await client.next()).body[0]);
  assert.ok(left > 0 && left <= 60_000, String(left));
  client.send("deadline", {}, { headers: { client_timeout: "no number" } });
  assert.equal((await client.next()).body[0], 0);
  client.send("sleep", { 1: { i32: 30_000 } }, { headers: { client_timeout: "50" } });
  const reply = await client.next();
  assert.equal(reply.type, MessageType.EXCEPTION);
  assert.match(String(reply.body[1]), /deadline has passed; unknown whether it took effect/);
  assert.deepEqual(reply.headers, {});
  server.signal();
  assert.equal((await server.ended).last["expired"], 1);
});

test("a refusal that never started says that a retry is safe", async (t) => {
  const { port } = await start(t);
  const client = new Client(t, port);
  for (const transforms of [[], [1]]) {
    client.send("absent", {}, { seqid: 3, transforms });
    const reply = await client.next();
    assert.equal(reply.type, MessageType.EXCEPTION);
    assert.equal(reply.body[2], 1);
    assert.deepEqual(reply.headers, { "sluice-retry": "safe" });
  }
  client.send("kinds", { 1: { i32: 5 } });
  assert.deepEqual((await client.next()).headers, {});
});

test("from lame-duck on, replies say that the server leaves, those to calls from before too", async (t) => {
  const server = await start(t, "--lame-duck", "500ms");
  const client = new Client(t, server.port);
  client.send("nothing", {}).send("sleep", { 1: { i32: 1000 } }, { seqid: 8 });
  assert.deepEqual((await client.next()).headers, {});
  server.signal();
  await server.line("draining");
  const quick = new Client(t, server.port).send("absent", {});
  assert.deepEqual((await quick.next()).headers, {
    ":drain": "true",
    connection: "goaway",
    "sluice-retry": "safe",
  });
  const reply = await client.next();
  assert.equal(reply.seqid, 8);
  assert.equal(reply.type, MessageType.REPLY);
  assert.deepEqual(reply.headers, { ":drain": "true", connection: "goaway" });
  assert.equal((await server.ended).code, 0);
});

test("THeader that can't be served ends the connection, and is counted by what is wrong with it", async (t) => {
  const server = await start(t);
  const good = encodeCall("nothing", 1, {});
  const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024));
  const fixed = (words: number): Buffer =>
    Buffer.from([0x0f, 0xff, 0, 0, 0, 0, 0, 0, words >> 8, words & 0xff]);
  const kinds: readonly [string, Buffer][] = [
    ["unsupported-transform", theader(good, { protocolId: 0, transforms: [2] })],
    ["unsupported-protocol", theader(good, { protocolId: 7 })],
    ["bad-info-headers", theader(good, { protocolId: 0, block: Buffer.from([1, 1, 100, 0x61]) })],
    ["bad-compression", framed(Buffer.concat([fixed(1), Buffer.from([0, 1, 1, 0]), Buffer.from("no zlib")]))],
    ["frame-too-large", framed(Buffer.concat([fixed(1), Buffer.from([0, 1, 1, 0]), bomb]))],
    ["bad-header", framed(Buffer.concat([fixed(500), good]))],
  ];
  for (const [kind, bytes] of kinds) {
    const client = new Client(t, server.port).send("nothing", {});
    assert.equal((await client.next()).type, MessageType.REPLY);
    const { localAddress, localPort } = client.socket;
    client.socket.write(bytes);
    await assert.rejects(client.next(), /sent FIN/, kind);
    const line = await server.line((line) => line["kind"] === kind);
    assert.equal(line["peer"], `${localAddress}:${localPort}`);
    client.socket.end();
    await once(client.socket, "close");
  }
  server.signal();
  assert.equal((await server.ended).last["completed"], kinds.length);
});
