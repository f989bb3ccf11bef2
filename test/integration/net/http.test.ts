import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import thrift from "thrift";
import Probe from "../../gen/Probe.js";
import { decodeMessage, encodeCall, MessageType } from "../../support/binary.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../../support/server-process.ts";
import { call, callBytes, connectRawHttp, requestBytes, responsesIn, send } from "./http-client.ts";

const type = { "content-type": "application/x-thrift" };

function startProbe(
  t: TestContext,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  return startServer(t, { modules: [fixture("probe")], args, env });
}

function textOf(body: Buffer): string {
  return String(decodeMessage(body)!.body[0]);
}

test("HTTP on the Thrift port", async (t) => {
  const { port } = await startProbe(t);

  await t.test("calls on a keep-alive connection are answered with the request's media type", async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const peers = new Set<string>();
    for (const contentType of [
      "application/x-thrift",
      "application/vnd.apache.thrift.binary; charset=utf-8",
    ]) {
      const reply = await call(
        { port, agent, path: "/what/ever", headers: { "content-type": contentType } },
        "peer",
      );
      assert.equal(reply.response.status, 200);
      assert.equal(reply.response.headers["content-type"], contentType);
      assert.equal(Number(reply.response.headers["content-length"]), reply.response.body.length);
      peers.add(String(reply.body[0]));
    }
    assert.equal(peers.size, 1);
  });

  await t.test("the reply has the protocol and the frame of the request", async () => {
    const json = await send({
      port,
      headers: { "content-type": "application/json" },
      body: '[1,"echo",1,7,{"1":{"str":"hallo"}}]\n',
    });
    assert.deepEqual(JSON.parse(json.body.toString()), [1, "echo", 2, 7, { 0: { str: "hallo" } }]);
    const message = encodeCall("echo", 3, { 1: { string: "framed" } });
    const length = Buffer.alloc(4);
    length.writeInt32BE(message.length);
    const framed = await send({ port, headers: type, body: Buffer.concat([length, message]) });
    assert.equal(framed.body.readInt32BE(), framed.body.length - 4);
    assert.equal(textOf(framed.body.subarray(4)), "framed");
  });

  await t.test("a chunked request that is split at every byte is understood", async (t) => {
    const body = encodeCall("echo", 1, { 1: { string: "dribble" } });
    const half = body.length >> 1;
    const bytes = Buffer.concat([
      Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
      Buffer.from(`${half.toString(16)}\r\n`),
      body.subarray(0, half),
      Buffer.from(`\r\n${(body.length - half).toString(16)}\r\n`),
      body.subarray(half),
      Buffer.from("\r\n0\r\n\r\n"),
    ]);
    const client = await connectRawHttp(t, port);
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until(/dribble/);
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n/);
  });

  await t.test("pipelined requests run side by side and are answered in their order", async (t) => {
    const client = await connectRawHttp(t, port);
    client.socket.write(
      Buffer.concat([
        callBytes("sleep", 1, { 1: { i32: 150 } }),
        callBytes("echo", 2, { 1: { string: "second" } }),
        callBytes("echo", 3, { 1: { string: "third" } }),
      ]),
    );
    await client.until(/third/);
    const seqids = responsesIn(client.received).map(({ body }) => decodeMessage(body)!.seqid);
    assert.deepEqual(seqids, [1, 2, 3]);
  });

  await t.test(
    "a client that waits for consent gets it, or learns that its body is not wanted",
    async (t) => {
      const body = encodeCall("echo", 1, { 1: { string: "after consent" } });
      const [head] = requestBytes(body, ["Expect: 100-continue"]).toString("latin1").split("\r\n\r\n");
      const client = await connectRawHttp(t, port);
      client.socket.write(`${head}\r\n\r\n`);
      await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      client.socket.write(body);
      await client.until(/after consent/);

      const refused = await connectRawHttp(t, port);
      refused.socket.write(`${head!.replace("application/x-thrift", "text/plain")}\r\n\r\n`);
      assert.equal(await refused.ended, "fin");
      assert.match(refused.text, /^HTTP\/1\.1 415 /);
    },
  );

  await t.test(
    "what is no call is answered with the status that fits, and the connection goes on",
    async (t) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      const got = await send({ port, agent, method: "GET" });
      assert.equal(got.status, 200);
      assert.match(got.body.toString(), /This is a Thrift server/);
      const head = await send({ port, agent, method: "HEAD" });
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      const options = await send({ port, agent, method: "OPTIONS" });
      assert.deepEqual([options.status, options.headers.allow], [204, "POST, GET, HEAD, OPTIONS"]);
      const put = await send({ port, agent, method: "PUT", body: "x" });
      assert.deepEqual([put.status, put.headers.allow], [405, "POST, GET, HEAD, OPTIONS"]);
      const form = { "content-type": "application/x-www-form-urlencoded" };
      assert.equal((await send({ port, agent, headers: form, body: "a=b" })).status, 415);
      const reply = await call({ port, agent }, "echo", { 1: { string: "still here" } });
      assert.equal(String(reply.body[0]), "still here");
      assert.equal(reply.response.headers.connection, "keep-alive");
    },
  );

  await t.test("what is no HTTP behind a request does not touch that request's reply", async (t) => {
    const client = await connectRawHttp(t, port);
    client.socket.write(
      Buffer.concat([callBytes("sleep", 1, { 1: { i32: 1300 } }), Buffer.from("no request\r\n\r\n")]),
    );
    assert.equal(await client.ended, "fin");
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n.*HTTP\/1\.1 400 Bad Request\r\n/s);
  });

  await t.test("a client that sends FIN behind its request still gets the reply", async (t) => {
    const client = await connectRawHttp(t, port);
    client.socket.end(callBytes("sleep", 1, { 1: { i32: 100 } }));
    assert.equal(await client.ended, "fin");
    assert.equal(responsesIn(client.received).length, 1);
  });

  await t.test("HTTP/2 without asking is told to use HTTP/1.1", async (t) => {
    const client = await connectRawHttp(t, port);
    client.socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.equal(await client.ended, "fin");
    // The last frame is GOAWAY with HTTP_1_1_REQUIRED.
    assert.deepEqual([client.received[12], client.received.at(-1)], [7, 0x0d]);
  });

  await t.test("an offered upgrade to anything but WebSocket is ignored", async () => {
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" };
    const reply = await call({ port, headers }, "echo", { 1: { string: "as ever" } });
    assert.equal(String(reply.body[0]), "as ever");
  });

  await t.test("npm thrift's HTTP client is served, multiplexed too", async () => {
    const connection = thrift.createHttpConnection("127.0.0.1", port, {
      transport: thrift.TBufferedTransport,
      protocol: thrift.TJSONProtocol,
      path: "/service",
    });
    const client = thrift.createHttpClient(Probe, connection as never);
    assert.equal(await client.add(2, 3), 5);
    const multiplexer = new thrift.Multiplexer();
    const named = multiplexer.createClient("Probe", Probe, connection as never);
    assert.equal(await named.add(20, 30), 50);
  });
});

describe("HTTP, its limits and its options", () => {
  test("a oneway is answered at once, with an empty 200, and runs", async (t) => {
    const journal = join(temporaryFolder(t), "journal");
    const server = await startProbe(t, [], { PROBE_JOURNAL: journal });
    const client = await connectRawHttp(t, server.port);
    client.socket.write(
      callBytes("slowNote", 1, { 1: { string: "done" }, 2: { i32: 300 } }, MessageType.ONEWAY),
    );
    await client.until(/\r\n\r\n/);
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(client.text, /content-length: 0\r\n/i);
    server.signal();
    const { code, last } = await server.ended;
    assert.equal(code, 0);
    assert.equal(last["oneway"], 1);
    assert.match(readFileSync(journal, "utf8"), /^note done$/m);
  });

  test("a body that is too large is refused before it is read", async (t) => {
    const { port } = await startProbe(t, ["--max-frame-size", "1000"]);
    const declared = await connectRawHttp(t, port);
    declared.socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    assert.equal(await declared.ended, "fin");
    assert.match(declared.text, /^HTTP\/1\.1 413 .*connection: close.*maxFrameSize is 1000 bytes/is);

    const chunked = await connectRawHttp(t, port);
    chunked.socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
    chunked.socket.write(Buffer.alloc(1001));
    assert.equal(await chunked.ended, "fin");
    assert.match(chunked.text, /^HTTP\/1\.1 413 /);
  });

  test("a body that is no Thrift message is answered with 400, counted, and ends the connection", async (t) => {
    const server = await startProbe(t);
    const whole = encodeCall("echo", 1, { 1: { string: "x" } });
    for (const body of [
      Buffer.from("not Thrift"),
      whole.subarray(0, -3),
      Buffer.concat([whole, whole]),
      Buffer.alloc(0),
    ]) {
      const { status, headers } = await send({ port: server.port, headers: type, body });
      assert.deepEqual([status, headers.connection], [400, "close"]);
    }
    server.signal();
    const { last } = await server.ended;
    assert.deepEqual([last["malformed"], last["received"]], [4, 0]);
  });

  test("handlers see the headers, under lower-case names, but none that is the server's own", async (t) => {
    const { port } = await startServer(t, { modules: [fixture("caller")] });
    const headers = { "X-Trace": "abc", "sluice-peer-certificate": '{"subject":"CN=somebody"}' };
    const header = async (name: string): Promise<string> =>
      String((await call({ port, headers }, "echo", { 1: { string: name } })).body[0]);
    assert.equal(await header("x-trace"), "abc");
    assert.equal(await header("sluice-peer-certificate"), "");
    assert.equal(String((await call({ port, headers }, "peer")).body[0]), "null");
  });

  test("pages of foreign origins may not call, unless they are allowed", async (t) => {
    const { port } = await startProbe(t, ["--origins", "https://app.example"]);
    const foreign = { origin: "https://evil.example" };
    assert.equal((await send({ port, headers: foreign, body: encodeCall("echo", 1, {}) })).status, 403);
    const allowed = await call({ port, headers: { origin: "https://app.example" } }, "echo", {
      1: { string: "x" },
    });
    assert.equal(allowed.response.headers["access-control-allow-origin"], "https://app.example");
    const preflight = await send({
      port,
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-headers": "content-type" },
    });
    assert.equal(preflight.headers["access-control-allow-headers"], "content-type");
    const own = await call({ port, headers: { origin: `http://127.0.0.1:${port}` } }, "echo", {
      1: { string: "x" },
    });
    assert.equal(own.response.status, 200);
  });

  test("a request that does not go on is answered with 408", async (t) => {
    const { port } = await startProbe(t, ["--partial-frame-timeout", "50ms"]);
    const head = await connectRawHttp(t, port);
    head.socket.write("POST / HTTP/1.1\r\nHo");
    const body = await connectRawHttp(t, port);
    body.socket.write(callBytes("echo", 1, { 1: { string: "x" } }).subarray(0, -1));
    assert.equal(await head.ended, "fin");
    assert.match(head.text, /^HTTP\/1\.1 408 /);
    assert.equal(await body.ended, "fin");
    assert.match(body.text, /^HTTP\/1\.1 408 /);
  });
});

describe("a drain and HTTP", () => {
  test("the reply of a call in flight says that the connection closes, and is the last", async (t) => {
    const server = await startProbe(t);
    const client = await connectRawHttp(t, server.port);
    client.socket.write(callBytes("sleep", 1, { 1: { i32: 400 } }));
    const second = await connectRawHttp(t, server.port);
    second.socket.write(callBytes("echo", 1, { 1: { string: "idle now" } }));
    await second.until(/idle now/);
    server.signal();
    // The idle one goes at once, and unasked nothing is sent on it.
    assert.equal(await second.ended, "fin");
    assert.equal(responsesIn(second.received).length, 1);
    assert.equal(await client.ended, "fin");
    const [response] = responsesIn(client.received);
    assert.match(response!.head, /^HTTP\/1\.1 200 OK\r\n.*connection: close/is);
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["outcome"], last["completed"]], [0, "clean", 2]);
  });

  test("a client that never pauses is told to close within one request", async (t) => {
    const server = await startProbe(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    let stopped = false;
    const stop = server.line("draining").then(() => {
      stopped = true;
    });
    let closing = 0;
    let afterDraining = 0;
    const goOn = () => call({ port: server.port, agent }, "echo", { 1: { string: "on and on" } });
    // Its connection is there before the listener goes.
    await goOn();
    server.signal();
    for (;;) {
      const reply = await goOn().catch(() => undefined);
      if (reply === undefined) break;
      if (stopped) afterDraining++;
      if (reply.response.headers.connection === "close") closing++;
    }
    await stop;
    assert.equal(closing, 1);
    const { last } = await server.ended;
    assert.equal(last["outcome"], "clean");
    assert.equal(last["rejected"], 0);
    assert.ok(
      (last["drainMs"] as number) < 1500,
      `it took ${last["drainMs"]} ms, with ${afterDraining} requests`,
    );
  });

  test("a body that never ends is answered with 503 when its time is over", async (t) => {
    const server = await startProbe(t, ["--busy-close", "200ms"]);
    const client = await connectRawHttp(t, server.port);
    client.socket.write(callBytes("echo", 1, { 1: { string: "x" } }).subarray(0, -1));
    const probe = await call({ port: server.port }, "echo", { 1: { string: "x" } });
    assert.equal(probe.response.status, 200);
    server.signal();
    assert.equal(await client.ended, "fin");
    assert.match(client.text, /^HTTP\/1\.1 503 /);
    assert.equal((await server.ended).last["outcome"], "clean");
  });

  test("a call whose client is gone is orphaned", async (t) => {
    const server = await startProbe(t);
    const client = await connectRawHttp(t, server.port);
    client.socket.write(callBytes("sleep", 1, { 1: { i32: 300 } }));
    const other = await connectRawHttp(t, server.port);
    other.socket.write(callBytes("echo", 1, { 1: { string: "received" } }));
    await other.until(/received/);
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
    server.signal();
    const { last } = await server.ended;
    assert.deepEqual([last["received"], last["orphaned"], last["completed"]], [2, 1, 1]);
  });

  test("so is one whose client goes in the middle of the reply", async (t) => {
    const server = await startProbe(t);
    const client = await connectRawHttp(t, server.port);
    client.socket.write(callBytes("blob", 1, { 1: { string: Buffer.alloc(15_000_000) } }));
    // More than the kernel holds is still to come.
    client.socket.once("data", () => client.socket.pause());
    await client.until(/^HTTP\/1\.1 200 OK/);
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
    server.signal();
    const { last } = await server.ended;
    assert.deepEqual([last["received"], last["completed"], last["orphaned"]], [1, 0, 1]);
  });
});
