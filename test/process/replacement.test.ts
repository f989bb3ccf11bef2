import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask, untilReadyz, untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type LogLine, startServer, temporaryFolder } from "../support/server-process.ts";

const replaced = "a worker ended and is replaced";

test("a factory that fails in a replacement is tried again, later each time; without a lane the server is unready", async (t) => {
  const broken = join(temporaryFolder(t), "broken");
  const server = await startServer(t, {
    modules: [fixture("flaky-factory")],
    env: { FLAKY_FACTORY_BROKEN: broken },
  });
  const client = await connectRaw(t, { connect: { port: server.port } });
  writeFileSync(broken, "");
  for (const left of [1, 0]) {
    const { type, body } = await client.call("fail", { 1: { string: "exit" } });
    assert.equal(type, MessageType.EXCEPTION, "its caller is told");
    assert.match(String(body[1]), /worker that ran the call ended/);
    await untilStatus(server, ({ lanes }) => lanes.filter(({ state }) => state === "ready").length === left);
  }
  assert.equal((await untilReadyz(server, 503)).text, "no worker is ready\n");
  assert.equal((await ask(server, "/livez")).status, 200);
  assert.equal((await client.call("getStatus")).body[0], 5, "fb303 says WARNING");

  // The first line of each worker is its death; those behind it are attempts.
  const attempts = (lines: readonly LogLine[]): LogLine[] =>
    lines.filter(({ msg, worker }) => msg === replaced && worker === 0).slice(1);
  await server.line(() => attempts(server.lines).length >= 3);
  const [first, second, third] = attempts(server.lines);
  for (const line of [first, second, third]) {
    assert.match(String(line!["error"]), /licence server is away \(at \S+flaky-factory\.ts:\d+:\d+\)$/);
    assert.match(
      String(line!["stack"]),
      /^Error: .*licence server is away\n +at handler .*flaky-factory\.ts/,
    );
  }
  const at = (line?: LogLine): number => Date.parse(String(line!["time"]));
  assert.ok(at(second) - at(first) >= 99, `the second attempt came after ${at(second) - at(first)} ms`);
  assert.ok(at(third) - at(second) >= 199, `the third attempt came after ${at(third) - at(second)} ms`);

  const waiting = client.send("add", { 1: { i32: 1 }, 2: { i32: 2 } });
  rmSync(broken);
  await untilReadyz(server, 200);
  assert.equal((await client.reply(waiting)).body[0], 3, "a call that waited for a worker is answered");
  server.signal();
  const { code, last } = await server.ended;
  assertExact(last);
  assert.deepEqual([last["completed"], last["cut"]], [2, 2]);
  assert.deepEqual([code, last["outcome"]], [0, "clean"], "the stop itself cut nothing");
});

for (const how of ["exit", "uncaught"]) {
  test(`a worker that ends by ${how} is replaced, and the calls behind it run on`, async (t) => {
    const server = await startServer(t, { modules: [fixture("probe")], args: ["--workers", "1"] });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const dying = client.send("fail", { 1: { string: how } });
    const { body } = await client.reply(dying);
    assert.match(String(body[1]), /worker that ran the call ended/);
    const sums = await Promise.all(
      [1, 2, 3].map((number) => client.call("add", { 1: { i32: number }, 2: { i32: 1 } })),
    );
    assert.deepEqual(
      sums.map((reply) => reply.body[0]),
      [2, 3, 4],
    );
    const line = await server.line(replaced);
    assert.deepEqual([line["worker"], line["cut"]], [0, 1]);
    if (how === "uncaught") assert.match(String(line["stack"]), /\n +at .*probe\.ts:\d+/, "it says where");
    server.signal();
    const { code, last } = await server.ended;
    assertExact(last);
    assert.deepEqual([code, last["completed"], last["cut"]], [0, 3, 1]);
  });
}

test("no worker is replaced during a stop that waits for it", async (t) => {
  const server = await startServer(t, { modules: [fixture("probe")] });
  const client = await connectRaw(t, { connect: { port: server.port } });
  const sleeping = client.send("sleep", { 1: { i32: 400 } });
  await untilStatus(server, ({ calls }) => calls.running === 1);
  server.signal();
  await server.line("draining");
  assert.equal((await client.reply(sleeping)).body[0], 400n);
  const { code, lines } = await server.ended;
  assert.equal(code, 0);
  assert.ok(!lines.some(({ msg }) => msg === replaced));
});
