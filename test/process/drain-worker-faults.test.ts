/** Workers that die with traffic on them: only calls that had started there are cut, and others don't notice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isCut } from "../oracle/check.ts";
import { script, scriptedServer, startedIn, startsOf, textOf } from "../oracle/scripted.ts";
import { untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** Small calls one after the other until `stop`; resolves with how many were cut. */
function traffic(client: RawClient, name: string): { stop(): Promise<{ calls: number; cut: number }> } {
  let going = true;
  const run = async (): Promise<{ calls: number; cut: number }> => {
    let calls = 0;
    let cut = 0;
    for (; going && calls < 20_000; calls++) {
      const reply = await client.call("echo", script(`${name}${calls}`));
      const text = textOf(reply);
      if (isCut({ seqid: 0, exception: reply.type === MessageType.EXCEPTION, text })) cut++;
      else assert.equal(text, `${name}${calls}`);
    }
    return { calls, cut };
  };
  const done = run();
  return {
    stop() {
      going = false;
      return done;
    },
  };
}

/** One worker has been replaced, and both are at work. */
async function untilReplaced(server: ServerProcess): Promise<void> {
  await untilStatus(server, ({ lanes }) => {
    const restarts = lanes.reduce((sum, lane) => sum + lane.restarts, 0);
    return restarts === 1 && lanes.length === 2 && lanes.every(({ state }) => state === "ready");
  });
}

for (const [what, steps, args] of [
  ["exits", "exit", []],
  ["throws where nobody catches it", "throw", []],
  ["runs out of memory", "oom", ["--worker-memory=64MiB"]],
] as const) {
  test(`a worker that ${what} is replaced, and only what had started on it is cut`, async (t) => {
    const server = await scriptedServer(t, ["--workers=2", ...args]);
    const clients: RawClient[] = [];
    for (let at = 0; at < 4; at++) clients.push(await connectRaw(t, { connect: { port: server.port } }));
    const [victim, ...others] = clients as [RawClient, ...RawClient[]];
    const running = others.map((client, at) => traffic(client, `${at}-`));
    await Promise.all(others.map((client) => client.reply(20)));
    const reply = await victim.call("echo", script(`victim ${steps}`));
    assert.match(textOf(reply), /worker that ran the call ended; unknown whether the call took effect/);
    await untilReplaced(server);
    assert.equal(textOf(await victim.call("echo", script("after"))), "after");
    const results = await Promise.all(running.map((each) => each.stop()));
    for (const { cut } of results)
      assert.equal(cut, 0, "a call that had not started, or was quick, is not cut");
    server.signal();
    const { code, last } = await server.ended;
    assert.equal(code, 0, "what was cut before the stop is no fault of the stop");
    assert.equal(last["cut"], 1);
    assertExact(last);
    assert.equal(startsOf(server.journal).length, last["received"]);
  });
}

test("an unhandled rejection is logged and costs nothing else", async (t) => {
  const server = await scriptedServer(t, ["--workers=2"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  assert.equal(textOf(await client.call("echo", script("careless reject"))), "careless");
  const line = await server.line("a promise was rejected and nobody handled it");
  assert.equal(line["error"], "rejected behind the call's back");
  assert.match(String(line["stack"]), /test\/fixtures\/|test\/oracle\//, "it says where");
  assert.equal(textOf(await client.call("echo", script("after"))), "after");
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["completed"], 2);
});

test("a worker above workerMemory is drained and replaced, and no call is lost", async (t) => {
  const server = await scriptedServer(t, ["--workers=2", "--worker-memory=100MiB"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  const other = await connectRaw(t, { connect: { port: server.port } });
  const running = traffic(other, "t");
  await other.reply(10);
  const slow = client.send("echo", script("slow keep 120 sleep 1500"));
  await server.line("a worker is above workerMemory; it is drained and replaced");
  assert.equal(textOf(await client.reply(slow)), "slow");
  await untilReplaced(server);
  assert.equal((await running.stop()).cut, 0);
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["cut"], 0);
  assertExact(last);
});

test("several workers that are cut in one stop are not started again", async (t) => {
  const server = await scriptedServer(t, [
    "--workers=3",
    "--grace=4s",
    "--reserve=500ms",
    "--call-grace=300ms",
  ]);
  for (let at = 0; at < 3; at++) {
    const client = await connectRaw(t, { connect: { port: server.port } });
    void client.ended.then(() => client.end());
    client.send("echo", script(`loop${at} spin -1`));
    await startedIn(server.journal, `loop${at}`);
  }
  server.signal();
  const { code, last, lines } = await server.ended;
  assert.equal(code, 3);
  assert.equal(last["cut"], 3);
  assert.equal(last["unterminatedThreads"], 0);
  assert.ok(!lines.some(({ msg }) => msg === "a worker ended and is replaced"));
  assertExact(last);
});
