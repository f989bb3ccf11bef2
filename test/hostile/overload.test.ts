/** More calls than a server takes, and readers that are slow: a typed answer for the first, a pause for the second. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ask, statusOf, untilStatus } from "../support/admin.ts";
import { encodeCall, frame, MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, startServer } from "../support/server-process.ts";
import { Victim } from "./victim.ts";

test("calls above maxInFlight are refused at once, typed, and fb303 is answered all the same", async (t) => {
  const maxInFlight = 50;
  const calls = 2_000;
  const server = await startServer(t, {
    modules: [fixture("probe")],
    args: ["--max-in-flight", String(maxInFlight), "--max-in-flight-per-connection", "5000"],
  });
  const client = await connectRaw(t, { connect: { port: server.port } });
  const sent = Array.from({ length: calls }, (_, at) => client.encode("sleep", at + 1, { 1: { i32: 200 } }));
  client.write(Buffer.concat(sent));
  const other = await connectRaw(t, { connect: { port: server.port } });
  await untilStatus(server, ({ limits }) => limits.hits["maxInFlight"] === calls - maxInFlight);
  assert.equal((await other.call("getStatus")).type, MessageType.REPLY);
  await client.reply(calls);
  const refused = client.replies.filter(({ type }) => type === MessageType.EXCEPTION);
  assert.equal(refused.length, calls - maxInFlight);
  for (const { body } of refused) {
    assert.match(String(body[1]), /^overloaded: 50 calls are in flight \(maxInFlight\); not started$/);
    assert.equal(body[2], 6);
  }
  assert.deepEqual(
    client.replies.map(({ seqid }) => seqid),
    Array.from({ length: calls }, (_, at) => at + 1),
  );
  const { text } = await ask(server, "/metrics");
  assert.match(text, new RegExp(`sluice_limit_hits_total\\{limit="maxInFlight"\\} ${calls - maxInFlight}`));
  for (const each of [client, other]) each.end();
  server.signal();
  assertExact((await server.ended).last);
});

test("a reader that is slow pauses itself and nobody else, and gets all of its replies", async (t) => {
  const calls = 400;
  const server = await startServer(t, {
    modules: [fixture("kinds"), fixture("probe")],
    args: ["--write-high-water", "64KiB"],
  });
  const slow = await connectRaw(t, { connect: { port: server.port } });
  slow.socket.pause();
  const call = (seqid: number): Buffer => frame(encodeCall("blob", seqid, { 1: { i32: 50_000 } }));
  // One after the other, so that reading finds replies that wait.
  for (let seqid = 1; seqid <= calls; seqid++) {
    slow.write(call(seqid));
    await setTimeout(1);
  }
  const paused = await untilStatus(server, ({ limits: { hits } }) => hits["writeHighWater"]! > 0);
  assert.ok(paused.calls.received < calls, `${paused.calls.received} were taken in`);
  assert.ok(paused.limits.connectionBytes < 2 << 20, `${paused.limits.connectionBytes} bytes are kept`);
  const victim = await Victim.start(t, server.port, "Probe:add");
  while (victim.whole.calls < 50) await victim.window();
  await victim.stop();
  assert.deepEqual(victim.whole.errors, []);
  assert.ok((await statusOf(server)).calls.received - victim.whole.calls < calls + 60);
  slow.socket.resume();
  await slow.reply(calls);
  assert.deepEqual(
    slow.replies.map(({ seqid }) => seqid),
    Array.from({ length: calls }, (_, at) => at + 1),
  );
  slow.end();
  server.signal();
  assertExact((await server.ended).last);
});
