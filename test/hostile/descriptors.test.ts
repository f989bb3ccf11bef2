/** A server whose process may have 64 descriptors, and clients that want more. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { statusOf } from "../support/admin.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type ServerProcess, spawnServer } from "../support/server-process.ts";
import { Probe } from "./observe.ts";
import { Victim } from "./victim.ts";

const descriptors = 64;
const clients = 200;

test("out of descriptors, a server goes on with the connections that it has, and takes new ones later", async (t) => {
  const server = spawnServer(t, {
    modules: [fixture("probe")],
    args: ["--idle-timeout", "60s", "--grace", "4s", "--reserve", "1s"],
    wrapper: ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"],
  });
  await server.line("listening");
  const victim = await Victim.start(t, server.port);
  const crowd = Array.from({ length: clients }, () => new Probe(server.port));
  // Those for whom there was no descriptor any more are told so by a close.
  const turnedAway = async (): Promise<number> => {
    await Promise.all(crowd.map((probe) => probe.untilEnd(500)));
    return crowd.filter(({ ended }) => ended).length;
  };
  const ended = await turnedAway();
  t.diagnostic(`${ended} of ${clients} connections were turned away`);

  // A worker that dies now needs descriptors for its successor.
  const [survivor] = crowd.filter((probe) => !probe.ended);
  assert.ok(survivor !== undefined, "some have their connection");
  const { errors, calls } = await victim.window();
  assert.deepEqual(errors, []);
  assert.ok(calls > 50, `${calls} calls`);

  for (const { socket } of crowd) socket.destroy();
  await victim.stop();
  assert.deepEqual(victim.whole.errors, []);
  const late = await connectRaw(t, { connect: { port: server.port } });
  assert.equal((await late.call("add", { 1: { i32: 1 }, 2: { i32: 2 } })).body[0], 3);
  late.end();
  assert.ok((await statusOf(server)).connections.accepted > 20);
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
});

test("a worker that dies while there are no descriptors is replaced when there are some", async (t) => {
  const server = spawnServer(t, {
    modules: [fixture("probe")],
    args: ["--grace", "4s", "--reserve", "1s"],
    wrapper: ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"],
  });
  await server.line("listening");
  const client = await connectRaw(t, { connect: { port: server.port } });
  const crowd = Array.from({ length: clients }, () => new Probe(server.port));
  await Promise.all(crowd.map((probe) => probe.untilEnd(500)));
  const cut = await client.call("fail", { 1: { string: "exit" } });
  assert.match(String(cut.body[1]), /worker/);
  // The other worker goes on.
  for (let i = 0; i < 20; i++)
    assert.equal((await client.call("add", { 1: { i32: i }, 2: { i32: 1 } })).body[0], i + 1);
  for (const { socket } of crowd) socket.destroy();
  await allReady(server);
  assert.ok(deaths(server) >= 1);
  client.end();
  server.signal();
  assert.equal((await server.ended).code, 0);
});

test("a worker's successor that can't have a descriptor for its thread is tried again", async (t) => {
  const server = spawnServer(t, {
    modules: [fixture("hoarder")],
    args: ["--grace", "4s", "--reserve", "1s"],
    wrapper: ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"],
  });
  await server.line("listening");
  const hoarder = await connectRaw(t, { connect: { port: server.port } });
  const client = await connectRaw(t, { connect: { port: server.port } });
  const hoarded = hoarder.call("spin", { 1: { i32: 1500 } });
  while (readdirSync(`/proc/${server.pid}/fd`).length < descriptors) await setImmediate();
  const cut = await client.call("fail", { 1: { string: "exit" } });
  assert.match(String(cut.body[1]), /worker/);
  assert.ok(Number((await hoarded).body[0]) > 0);
  await allReady(server);
  t.diagnostic(`${deaths(server)} workers ended`);
  for (let i = 0; i < 20; i++)
    assert.equal((await client.call("add", { 1: { i32: i }, 2: { i32: 1 } })).body[0], i + 1);
  client.end();
  hoarder.end();
  server.signal();
  assert.equal((await server.ended).code, 0);
});

async function allReady(server: ServerProcess): Promise<void> {
  for (const untilMs = performance.now() + 10_000; performance.now() < untilMs; ) {
    // Until descriptors are free again, there is none for this question either.
    const status = await statusOf(server).catch(() => undefined);
    if (status?.lanes.every(({ state }) => state === "ready")) break;
  }
  assert.deepEqual(
    (await statusOf(server)).lanes.map(({ state }) => state),
    ["ready", "ready"],
  );
}

function deaths({ lines }: ServerProcess): number {
  return lines.filter(({ msg }) => msg === "a worker ended and is replaced").length;
}
