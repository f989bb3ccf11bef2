/** Calls that share a worker with one that stands, or dies, keep their replies and run once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { script, scriptedServer, startsOf, textOf } from "../oracle/scripted.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";

/** The longest that a finished reply may take to arrive on a busy machine, in ms. */
const atOnceMs = 1000;

for (const workers of [1, 2]) {
  for (const [what, last] of [
    ["ends its process", "exit"],
    ["loops for ever", "spin -1"],
    ["throws behind its call's back", "throw"],
    ["awaits a little and loops for ever", "tick 3 spin -1"],
  ]) {
    test(`quick calls are answered at once before one that ${what}, with ${workers} workers`, async (t) => {
      const server = await scriptedServer(t, [
        `--workers=${workers}`,
        ...["--grace=4s", "--reserve=500ms", "--call-grace=100ms"],
      ]);
      const client = await connectRaw(t, { connect: { port: server.port } });
      const scripts = ["a", "b tick 2", "c", "d tick 6", "e grow 300000", "f", `g ${last}`];
      const fromMs = performance.now();
      // One write: they enter one ring as one piece.
      client.write(Buffer.concat(scripts.map((text, at) => client.encode("echo", at + 1, script(text)))));
      for (const [at, text] of scripts.slice(0, -1).entries()) {
        const reply = await client.reply(at + 1);
        assert.equal(textOf(reply).replace(/x*$/, ""), text[0]);
        assert.ok(reply.atMs - fromMs < atOnceMs, `${text} took ${reply.atMs - fromMs} ms`);
      }
      server.signal();
      const reply = await client.reply(scripts.length);
      assert.equal(reply.type, MessageType.EXCEPTION);
      assert.match(textOf(reply), /unknown whether the call took effect/);
      const ended = await server.ended;
      assert.equal(ended.last["completed"], 6);
      assert.equal(ended.last["cut"], 1);
      assertExact(ended.last);
    });
  }
}

test("a reply that a timer made is not held back by a loop that begins in the same tick", async (t) => {
  const server = await scriptedServer(t, ["--workers", "1"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  await client.call("echo", script("warm sleep 1"));
  const fromMs = performance.now();
  // Both timers are due at the same time: the second call's handler goes on, for two seconds, after the first's.
  client.write(
    Buffer.concat([
      client.encode("echo", 11, script("first sleep 100")),
      client.encode("echo", 12, script("second sleep 100 spin 2000")),
    ]),
  );
  const reply = await client.reply(11);
  assert.ok(reply.atMs - fromMs < 100 + atOnceMs, `${reply.atMs - fromMs} ms`);
});

test("what lies behind a loop runs elsewhere, once, in its order, and before the loop ends", async (t) => {
  const server = await scriptedServer(t, ["--workers", "2", "--reply-order", "any"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  const behind = Array.from({ length: 50 }, (_, at) => `${at}`);
  const calls = ["loop spin 1500", ...behind];
  client.write(Buffer.concat(calls.map((text, at) => client.encode("echo", at + 1, script(text)))));
  for (const at of behind.keys()) await client.reply(at + 2);
  assert.equal(client.replies.length, 50, "the loop still runs");
  await client.reply(1);
  const starts = startsOf(server.journal);
  assert.deepEqual(
    starts.map(({ id }) => id),
    ["loop", ...behind],
  );
  assert.notEqual(starts.at(-1)!.worker, starts[0]!.worker);
  server.signal();
  assertExact((await server.ended).last);
});

test("calls of more than the ring takes are taken back whole", async (t) => {
  const server = await scriptedServer(t, ["--workers", "2", "--reply-order", "any"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  const other = await connectRaw(t, { connect: { port: server.port } });
  const sizes = [300_000, 10, 400_000, 250_000, 60_000, 270_000];
  const calls = ["loop spin 1200", ...sizes.map((size, at) => `call${at} pad ${"p".repeat(size)}`)];
  client.write(Buffer.concat(calls.map((text, at) => client.encode("echo", at + 1, script(text)))));
  // Other bytes pass through the buffers meanwhile.
  for (let round = 0; round < 20; round++) {
    assert.equal(
      textOf(await other.call("echo", script(`noise${round} pad ${"n".repeat(20_000)}`))),
      `noise${round}`,
    );
  }
  for (const at of sizes.keys()) assert.equal(textOf(await client.reply(at + 2)), `call${at}`);
  server.signal();
  const { last } = await server.ended;
  assert.equal(last["completed"], 27);
  assertExact(last);
});
