/** Sockets in a drain: late accepts, large replies over unread input, idle crowds, clients that never pause. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { script, scriptedServer, startedIn, textOf } from "../oracle/scripted.ts";
import { connectStorm } from "../oracle/storm.ts";
import { inTime } from "../support/attempts.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";

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

test("replies of 4 MB arrive whole although 2 MB of input behind each are never read, ten of ten", async (t) => {
  const args = ["--quiet=20ms", "--busy-close=100ms", "--max-in-flight-per-connection=1"];
  const server = await scriptedServer(t, args);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectPolite(t, server.port)));
  const filler = script(`behind pad ${"x".repeat(4000)}`);
  for (const [at, client] of clients.entries()) {
    // One call may be in flight: reading pauses behind it.
    const large = client.encode("echo", 1, script(`large${at} sleep 500 grow 4000000`));
    const behind = Array.from({ length: 500 }, (_, at) => client.encode("echo", 2 + at, filler));
    client.write(Buffer.concat([large, ...behind]));
    await startedIn(server.journal, `large${at}`);
    client.socket.pause();
  }
  server.signal();
  await server.line("draining");
  // They read when the server has long written, and sent its FIN, as far as it could.
  setTimeout(() => clients.forEach(({ socket }) => void socket.resume()), 900);
  for (const [at, client] of clients.entries()) {
    assert.equal(textOf(await client.reply(1)).length, `large${at}`.length + 4_000_000);
    assert.equal(await client.ended, "fin");
    assert.ok(client.replies.length < 501, "something behind it was not read");
  }
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["completed"], 10);
  assertExact(last);
});

test("a thousand idle clients do not delay a stop", async (t) => {
  await inTime(t, async () => {
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
    const reply = await client.reply(seqid);
    const { code, atMs } = await server.ended;
    await Promise.all(ends);
    assert.equal(code, 0);
    const behindMs = atMs - reply.atMs;
    return behindMs < quietMs + 300 ? undefined : `the exit, ${Math.round(behindMs)} ms after the last call`;
  });
});

test("ten clients that never pause see one FIN each, and few refusals", async (t) => {
  const server = await scriptedServer(t, ["--busy-close=300ms"]);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectPolite(t, server.port)));
  for (const client of clients) callWithoutPause(client);
  await Promise.all(clients.map((client) => client.reply(5)));
  server.signal();
  for (const client of clients) {
    const how = await client.ended;
    // EPIPE: FIN has come, and a write failed before it was read.
    assert.ok(how === "fin" || how.code === "EPIPE", String(how));
  }
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  // Once each for what was read whole: no more than was in flight.
  const refusals = last["rejected"] as number;
  assert.ok(refusals <= 10 * 50, `${refusals} refusals`);
  assertExact(last);
});
