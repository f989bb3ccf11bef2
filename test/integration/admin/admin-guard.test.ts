import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ask, dial, openAdmin, received } from "./admin-client.ts";

const post = { "x-sluice-admin": "1" };

test("a foreign Host or Origin is refused for every path and method", async (t) => {
  const { source, admin } = await openAdmin(t);
  for (const foreign of [{ host: "evil.example" }, { origin: "http://evil.example" }]) {
    for (const path of ["/livez", "/metrics", "/statusz", "/", "/nowhere"]) {
      assert.equal((await ask(admin, "GET", path, foreign)).status, 403, path);
    }
    assert.equal((await ask(admin, "POST", "/drain", { ...foreign, ...post })).status, 403);
  }
  const own = { origin: `http://127.0.0.1:${admin.port}` };
  assert.equal((await ask(admin, "POST", "/drain", { ...own, ...post })).status, 202);
  assert.equal(source.drains.length, 1);
});

test("POST without the header is refused, and a preflight is never granted", async (t) => {
  const { source, admin } = await openAdmin(t);
  assert.equal((await ask(admin, "POST", "/drain")).status, 403);
  const preflight = await ask(admin, "OPTIONS", "/drain", {
    origin: "http://evil.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "x-sluice-admin",
  });
  assert.equal(preflight.status, 403);
  assert.ok(!Object.keys(preflight.headers).some((name) => name.startsWith("access-control")));
  assert.deepEqual(source.drains, []);
});

test("beyond loopback any Host reads, and POST needs the token", async (t) => {
  const token = "s3cret";
  const { admin } = await openAdmin(t, { host: "0.0.0.0", token });
  assert.equal((await ask(admin, "GET", "/livez", { host: "server.example:9091" })).status, 200);
  assert.equal((await ask(admin, "POST", "/drain", post)).status, 401);
  const allowed = { ...post, authorization: `Bearer ${token}` };
  assert.equal((await ask(admin, "POST", "/drain", allowed)).status, 202);
});

test("beyond loopback without a token POST is refused with what to do", async (t) => {
  const { source, admin } = await openAdmin(t, { host: "0.0.0.0" });
  const { status, body } = await ask(admin, "POST", "/drain", post);
  assert.equal(status, 403);
  assert.match(body, /set an admin token or bind to 127\.0\.0\.1/);
  assert.deepEqual(source.drains, []);
});

test("a body beyond 1 KB is 413, is not acted on, and its sender gets to read that", async (t) => {
  const { source, admin } = await openAdmin(t);
  assert.equal((await ask(admin, "POST", "/drain", post, "x".repeat(1025))).status, 413);
  const chunked = { ...post, "transfer-encoding": "chunked" };
  assert.equal((await ask(admin, "POST", "/drain", chunked, "x".repeat(60_000))).status, 413);
  assert.deepEqual(source.drains, []);
});

test("a body without end is answered and cut off", async (t) => {
  const { source, admin } = await openAdmin(t);
  const socket = await dial(t, admin);
  const all = received(socket);
  socket.write(
    "POST /drain HTTP/1.1\r\nHost: localhost\r\nx-sluice-admin: 1\r\nContent-Length: 1000000000\r\n\r\n",
  );
  const chunk = Buffer.alloc(16_384, "x");
  let sent = 0;
  const send = (): void => {
    while (!socket.destroyed && sent < 64_000_000) {
      sent += chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on("drain", send);
  send();
  await all;
  assert.ok(sent < 64_000_000, `cut off after ${sent} bytes`);
  assert.deepEqual(source.drains, []);
});

test("a head that never ends is cut off by the timeout", async (t) => {
  const { admin } = await openAdmin(t, { headTimeoutMs: 120 });
  const slow = await dial(t, admin);
  const silent = await dial(t, admin);
  const began = performance.now();
  const answers = Promise.all([received(slow), received(silent)]);
  slow.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n");
  const drip = setInterval(() => slow.write("X-A: b\r\n"), 20);
  t.after(() => clearInterval(drip));
  const [toSlow] = await answers;
  assert.match(toSlow, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - began < 2_000);
});

test("a body that never comes is cut off by the timeout", async (t) => {
  const { source, admin } = await openAdmin(t, { headTimeoutMs: 100, requestTimeoutMs: 150 });
  const socket = await dial(t, admin);
  const all = received(socket);
  socket.write(
    "POST /drain HTTP/1.1\r\nHost: localhost\r\nx-sluice-admin: 1\r\nContent-Length: 10\r\n\r\nab",
  );
  assert.match(await all, /^HTTP\/1\.1 408 /);
  assert.deepEqual(source.drains, []);
});

test("a head beyond 8 KB is refused", async (t) => {
  const { admin } = await openAdmin(t);
  assert.equal((await ask(admin, "GET", "/livez", { "x-long": "x".repeat(9_000) })).status, 431);
});

test("two Host headers are refused", async (t) => {
  const { admin } = await openAdmin(t);
  const socket = await dial(t, admin);
  const all = received(socket);
  socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  assert.match(await all, /^HTTP\/1\.1 400 /);
});

test("a health check over HTTP/1.0 without Host is answered", async (t) => {
  const { admin } = await openAdmin(t);
  const socket = await dial(t, admin);
  const all = received(socket);
  socket.write("GET /readyz HTTP/1.0\r\n\r\n");
  assert.match(await all, /^HTTP\/1\.1 200 .*\r\n\r\nok\n$/s);
});

test("a thousand pipelined requests get one answer and a close", async (t) => {
  const { admin } = await openAdmin(t);
  const socket = await dial(t, admin);
  const all = received(socket);
  socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000));
  const answers = (await all).match(/HTTP\/1\.1 /g)?.length ?? 0;
  assert.ok(answers <= 1, `${answers} answers`);
  assert.equal((await ask(admin, "GET", "/livez")).status, 200);
});

test("a connection is used again for the next request", async (t) => {
  const { admin } = await openAdmin(t);
  const socket = await dial(t, admin);
  for (let n = 0; n < 3; n++) {
    socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 200 /);
  }
});

test("silent connections give way, so that a health check always gets in", async (t) => {
  const { admin } = await openAdmin(t, { maxConnections: 4 });
  const silent = [];
  for (let n = 0; n < 4; n++) silent.push(await dial(t, admin));
  const oldestGone = once(silent[0]!, "close");
  assert.equal((await ask(admin, "GET", "/livez")).status, 200);
  await oldestGone;
  assert.deepEqual(
    silent.slice(1).map((socket) => socket.destroyed),
    [false, false, false],
  );
});
