import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { describe, type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import Probe from "../../gen/Probe.js";
import { decodeMessage, encodeCall, type Fields, frame } from "../../support/binary.ts";
import { fixture, type ServerProcess, startServer } from "../../support/server-process.ts";
import { connectRawHttp } from "./http-client.ts";

function startProbe(t: TestContext, args: string[] = []): Promise<ServerProcess> {
  return startServer(t, { modules: [fixture("probe")], args });
}

interface Received {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** A WebSocket that keeps what comes. */
class Client {
  readonly socket: WebSocket;
  readonly received: Received[] = [];
  /** The close code and reason that the server gave. */
  readonly closed: Promise<{ code: number; reason: string }>;
  #wakers: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("error", () => {});
    socket.on("message", (data, isBinary) => {
      this.received.push({ data: data as Buffer, isBinary });
      for (const wake of this.#wakers.splice(0)) wake();
    });
  }

  async message(index: number): Promise<Received> {
    while (this.received.length <= index) await new Promise<void>((resolve) => this.#wakers.push(resolve));
    return this.received[index]!;
  }

  call(name: string, seqid: number, args: Fields = {}): void {
    this.socket.send(encodeCall(name, seqid, args));
  }
}

async function open(
  t: TestContext,
  port: number,
  subprotocols: string[] = [],
  headers = {},
): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/any/path`, subprotocols, { headers });
  t.after(() => socket.terminate());
  const client = new Client(socket);
  await once(socket, "open");
  return client;
}

test("WebSocket on the Thrift port", async (t) => {
  const { port } = await startProbe(t);

  await t.test("a binary message is answered with a binary message in its protocol", async (t) => {
    const client = await open(t, port);
    client.call("echo", 7, { 1: { string: "hallo" } });
    const { data, isBinary } = await client.message(0);
    const reply = decodeMessage(data)!;
    assert.deepEqual([isBinary, reply.seqid, String(reply.body[0])], [true, 7, "hallo"]);
    client.socket.send(frame(encodeCall("echo", 8, { 1: { string: "framed" } })));
    const framed = (await client.message(1)).data;
    assert.equal(framed.readInt32BE(), framed.length - 4);
  });

  await t.test("a text message in JSON is answered with a text message", async (t) => {
    const client = await open(t, port);
    const message = '[1,"echo",1,7,{"1":{"str":"grüße"}}]';
    client.socket.send(message);
    const { data, isBinary } = await client.message(0);
    assert.equal(isBinary, false);
    assert.deepEqual(JSON.parse(data.toString()), [1, "echo", 2, 7, { 0: { str: "grüße" } }]);
    client.socket.send(Buffer.from(message));
    assert.equal((await client.message(1)).isBinary, true);
  });

  await t.test("replies leave in the order of their calls", async (t) => {
    const client = await open(t, port);
    client.call("sleep", 1, { 1: { i32: 100 } });
    client.call("echo", 2, { 1: { string: "second" } });
    client.call("echo", 3, { 1: { string: "third" } });
    await client.message(2);
    assert.deepEqual(
      client.received.map(({ data }) => decodeMessage(data)!.seqid),
      [1, 2, 3],
    );
  });

  await t.test("a message in fragments is one message, and pings between them are answered", async (t) => {
    const client = await open(t, port);
    const message = encodeCall("echo", 1, { 1: { string: "in pieces" } });
    for (const byte of message.subarray(0, -1)) client.socket.send(Buffer.from([byte]), { fin: false });
    client.socket.ping("still there?");
    const [answer] = await once(client.socket, "pong");
    assert.equal(String(answer), "still there?");
    client.socket.send(message.subarray(-1));
    assert.equal(String(decodeMessage((await client.message(0)).data)!.body[0]), "in pieces");
  });

  await t.test("what is no Thrift message is closed with 1007, text that is no JSON with 1003", async (t) => {
    const binary = await open(t, port);
    binary.socket.send(Buffer.from("not Thrift"));
    assert.equal((await binary.closed).code, 1007);
    const two = await open(t, port);
    const message = encodeCall("echo", 1, { 1: { string: "x" } });
    two.socket.send(Buffer.concat([message, message]));
    assert.equal((await two.closed).code, 1007);
    const text = await open(t, port);
    text.socket.send("hello");
    assert.equal((await text.closed).code, 1003);
  });

  await t.test("calls before what is no Thrift message are answered first", async (t) => {
    const client = await open(t, port);
    client.call("sleep", 1, { 1: { i32: 1300 } });
    client.socket.send(Buffer.from("not Thrift"));
    assert.equal((await client.closed).code, 1007);
    assert.equal(client.received.length, 1);
  });

  await t.test("a request that is no proper upgrade is answered with 400", async (t) => {
    const client = await connectRawHttp(t, port);
    client.socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert.equal(await client.ended, "fin");
    assert.match(client.text, /^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  await t.test("pages of foreign origins are refused", async (t) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { origin: "https://evil.example" });
    t.after(() => socket.terminate());
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /403/);
    const own = new WebSocket(`ws://127.0.0.1:${port}`, { origin: `http://127.0.0.1:${port}` });
    t.after(() => own.terminate());
    await once(own, "open");
  });

  await t.test("npm thrift's WebSocket client is served", async (t) => {
    // The package's types do not know it.
    const thrift = createRequire(import.meta.url)("thrift");
    for (const protocol of [thrift.TJSONProtocol, thrift.TBinaryProtocol, thrift.TCompactProtocol]) {
      const connection = thrift.createWSConnection("127.0.0.1", port, {
        transport: thrift.TBufferedTransport,
        protocol,
        path: "/",
      });
      t.after(() => connection.close());
      connection.open();
      const client = thrift.createWSClient(Probe, connection);
      assert.equal(await client.add(2, 3), 5);
    }
  });
});

describe("WebSocket, its limits and its end", () => {
  test("a message that is too large is closed with 1009 before it is read", async (t) => {
    const { port } = await startProbe(t, ["--max-frame-size", "1000"]);
    const client = await open(t, port);
    client.socket.send(Buffer.alloc(1001));
    assert.equal((await client.closed).code, 1009);
  });

  test("handlers see the headers of the upgrade", async (t) => {
    const { port } = await startServer(t, { modules: [fixture("caller")] });
    const client = await open(t, port, [], { authorization: "Bearer x" });
    client.call("echo", 1, { 1: { string: "authorization" } });
    assert.equal(String(decodeMessage((await client.message(0)).data)!.body[0]), "Bearer x");
  });

  test("a drain closes with 1001 behind the last reply", async (t) => {
    const server = await startProbe(t);
    const idle = await open(t, server.port);
    const busy = await open(t, server.port);
    busy.call("sleep", 1, { 1: { i32: 300 } });
    busy.call("echo", 2, { 1: { string: "last" } });
    idle.call("echo", 1, { 1: { string: "x" } });
    await idle.message(0);
    server.signal();
    assert.deepEqual(await idle.closed, { code: 1001, reason: "the server is draining" });
    assert.equal((await busy.closed).code, 1001);
    assert.equal(busy.received.length, 2);
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["completed"], last["rejected"]], [0, 3, 0]);
  });

  test("a client that never pauses is refused, typed, once its time is over, and then closed", async (t) => {
    const server = await startProbe(t, ["--busy-close", "300ms"]);
    const client = await open(t, server.port);
    let sent = 0;
    const again = (): void => client.call("sleep", ++sent, { 1: { i32: 20 } });
    client.socket.on("message", again);
    again();
    again();
    server.signal();
    assert.equal((await client.closed).code, 1001);
    const { last } = await server.ended;
    assert.equal(last["outcome"], "clean");
    assert.equal(last["completed"] as number, client.received.length - (last["rejected"] as number));
  });

  test("a call whose client is gone is orphaned", async (t) => {
    const server = await startProbe(t);
    const client = await open(t, server.port);
    client.call("sleep", 1, { 1: { i32: 300 } });
    const other = await open(t, server.port);
    other.call("echo", 1, { 1: { string: "x" } });
    await other.message(0);
    client.socket.terminate();
    server.signal();
    const { last } = await server.ended;
    assert.deepEqual([last["completed"], last["orphaned"]], [1, 1]);
  });

  test("lame-duck is announced to those who offered sluice.v1, and to nobody else", async (t) => {
    const server = await startProbe(t, ["--lame-duck", "300ms"]);
    const told = await open(t, server.port, ["other", "sluice.v1"]);
    assert.equal(told.socket.protocol, "sluice.v1");
    const untold = await open(t, server.port, ["other"]);
    assert.equal(untold.socket.protocol, "other");
    server.signal();
    const notice = await told.message(0);
    assert.deepEqual([notice.isBinary, JSON.parse(notice.data.toString())], [false, { sluice: "lame-duck" }]);
    // It is served as before.
    told.call("echo", 1, { 1: { string: "lame" } });
    assert.equal(String(decodeMessage((await told.message(1)).data)!.body[0]), "lame");
    assert.equal((await untold.closed).code, 1001);
    assert.equal(untold.received.length, 0);
  });
});
