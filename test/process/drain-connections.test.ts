/** Sockets in a drain: late accepts, large replies over unread input, idle crowds, clients that never pause. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { isRefusal } from "../oracle/check.ts";
import { script, scriptedServer, textOf } from "../oracle/scripted.ts";
import { connectStorm } from "../oracle/storm.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, startServer } from "../support/server-process.ts";

/** Leaves as soon as the server does. */
async function connectPolite(t: TestContext, port: number): Promise<RawClient> {
  const client = await connectRaw(t, { connect: { port } });
  void client.ended.then(() => client.end());
  return client;
}

/** Keeps 50 calls in flight, and sends no more than 20,000, until the server's FIN. */
function callWithoutPause(client: RawClient): void {
  let over = false;
  let sent = 0;
  void client.ended.then(() => {
    over = true;
  });
  const next = (): void => {
    for (; sent - client.replies.length < 50; sent++) client.send("echo", script(`${sent}`));
    if (!over && sent < 20_000) setImmediate(next);
  };
  next();
}

test("400 clients whose connect returned before the signal are all answered", async (t) => {
  const { answered, clients } = await connectStorm(t, 400);
  assert.equal(answered, clients);
});

test("a reply of 4 MB arrives whole although 400 KB of input behind it are never read, ten of ten", async (t) => {
  for (let round = 0; round < 10; round++) {
    const server = await startServer(t, {
      modules: [fixture("probe")],
      args: ["--quiet=20ms", "--busy-close=100ms", "--max-in-flight-per-connection=1"],
    });
    const client = await connectPolite(t, server.port);
    const data = Buffer.alloc(4_000_000, round);
    const seqid = client.send("blob", { 1: { string: data } });
    const filler = { 1: { string: "x".repeat(4000) } };
    // One call may be in flight, so what comes behind stays unread until the reply has left.
    client.write(
      Buffer.concat(Array.from({ length: 100 }, (_, at) => client.encode("echo", 100 + at, filler))),
    );
    await client.reply(seqid).then((reply) => assert.ok(data.equals(reply.body[0] as Buffer)));
    server.signal();
    assert.equal(await client.ended, "fin");
    const { code, last } = await server.ended;
    assert.equal(code, 0);
    assertExact(last);
  }
});

test("a reply of 4 MB that is written during the drain arrives whole", async (t) => {
  const server = await scriptedServer(t, ["--quiet=20ms", "--busy-close=100ms"]);
  const client = await connectPolite(t, server.port);
  client.socket.pause();
  const seqid = client.send("echo", script("large sleep 300 grow 4000000"));
  const filler = script(`pad ${"x".repeat(4000)}`);
  client.write(
    Buffer.concat(Array.from({ length: 100 }, (_, at) => client.encode("echo", 100 + at, filler))),
  );
  server.signal();
  await server.line("draining");
  setTimeout(() => client.socket.resume(), 800);
  assert.equal(textOf(await client.reply(seqid)).length, "large".length + 4_000_000);
  assert.equal(await client.ended, "fin");
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
});

test("a thousand idle clients do not delay a stop", async (t) => {
  const quietMs = 100;
  const server = await scriptedServer(t, [`--quiet=${quietMs}ms`]);
  const idle: Socket[] = [];
  for (let batch = 0; batch < 10; batch++) {
    const sockets = Array.from({ length: 100 }, () => connect({ port: server.port, host: "127.0.0.1" }));
    idle.push(...sockets);
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
  }
  t.after(() => idle.forEach((socket) => void socket.destroy()));
  const ends = idle.map((socket) => once(socket.resume(), "end"));
  const client = await connectPolite(t, server.port);
  const seqid = client.send("echo", script("last sleep 300"));
  server.signal();
  await client.reply(seqid);
  const { code, last } = await server.ended;
  await Promise.all(ends);
  assert.equal(code, 0);
  const { draining = 0, flushing = 0, closing = 0 } = last["phases"] as Record<string, number>;
  const lastCallMs = 300;
  const behindMs = draining + flushing + closing - lastCallMs;
  assert.ok(behindMs < quietMs + 300, `${behindMs} ms after the last call`);
});

test("ten clients that never pause see one FIN each, and few refusals", async (t) => {
  const server = await scriptedServer(t, ["--busy-close=300ms"]);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectPolite(t, server.port)));
  for (const client of clients) callWithoutPause(client);
  await Promise.all(clients.map((client) => client.reply(5)));
  server.signal();
  for (const client of clients) assert.equal(await client.ended, "fin");
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  const refusals = clients.flatMap(({ replies }) =>
    replies.filter((reply) => isRefusal({ seqid: 0, exception: reply.type === 3, text: textOf(reply) })),
  );
  assert.ok(refusals.length <= 10 * 64, `${refusals.length} refusals`);
  assert.equal(last["rejected"], refusals.length);
  assertExact(last);
});
