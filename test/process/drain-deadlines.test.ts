/** What becomes of calls that outlast their time in a stop: notice, cut, protection, breaking. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type ScriptedServer,
  script,
  scriptedServer,
  startedIn,
  startsOf,
  textOf,
} from "../oracle/scripted.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw, type Reply } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";

/** A call that runs: its reply, or why there is none. */
interface Running {
  readonly reply: Promise<Reply>;
  readonly ended: Promise<unknown>;
}

/** A server with one worker for each call, so that cutting one disturbs no other. */
async function serverThatRuns<const S extends readonly string[]>(
  t: TestContext,
  args: readonly string[],
  scripts: S,
): Promise<{ server: ScriptedServer; calls: { [K in keyof S]: Running } }> {
  const server = await scriptedServer(t, ["--workers", String(Math.max(2, scripts.length)), ...args]);
  const calls: Running[] = [];
  for (const text of scripts) {
    const client = await connectRaw(t, { connect: { port: server.port } });
    void client.ended.then(() => client.end());
    const seqid = client.send("echo", script(text));
    // A worker that spins takes no more: the next call goes to another one.
    await startedIn(server.journal, text.split(" ")[0]!);
    calls.push({ reply: client.reply(seqid), ended: client.ended });
  }
  return { server, calls: calls as { [K in keyof S]: Running } };
}

async function assertCut({ reply, ended }: Running): Promise<Reply> {
  const seen = await reply;
  assert.equal(seen.type, MessageType.EXCEPTION);
  assert.equal(seen.body[2], 6, "INTERNAL_ERROR");
  assert.match(textOf(seen), /unknown whether the call took effect/);
  assert.equal(await ended, "fin");
  return seen;
}

test("with no callGrace of its own a call for ever is cut at grace − reserve, with an exception", async (t) => {
  const args = ["--grace", "1s", "--reserve", "500ms"];
  const { server, calls } = await serverThatRuns(t, args, ["loop spin -1", "async sleep 60000"]);
  const sentMs = server.signal();
  for (const call of calls) await assertCut(call);
  const { code, last, atMs } = await server.ended;
  assert.equal(code, 3);
  assert.equal(last["outcome"], "cut");
  assert.equal(last["cut"], 2);
  const cutCalls = last["cutCalls"] as { method: string; seqid: number; peer: string; worker: number }[];
  assert.deepEqual(
    cutCalls.map(({ method, seqid }) => [method, seqid]),
    [
      ["Probe.echo", 1],
      ["Probe.echo", 1],
    ],
  );
  assert.deepEqual(new Set(cutCalls.map(({ worker }) => worker)), new Set([0, 1]));
  assert.ok(atMs - sentMs < 1100, `${atMs - sentMs} ms`);
  assertExact(last);
});

test("callGrace cuts a plain call, and leaves one its protection and what it renews", async (t) => {
  const { server, calls } = await serverThatRuns(
    t,
    ["--grace", "6s", "--reserve", "500ms", "--call-grace", "500ms"],
    [
      "plain sleep 2000",
      "looping spin 2000",
      "protected protect 1500 sleep 1400",
      "renewed protect 800 sleep 700 renew 800 sleep 700",
    ],
  );
  const sentMs = server.signal();
  const [plain, looping, safe, renewed] = calls;
  for (const call of [plain, looping]) {
    const atMs = (await assertCut(call)).atMs - sentMs;
    assert.ok(atMs > 450 && atMs < 1000, `cut after ${atMs} ms`);
  }
  assert.equal(textOf(await safe.reply), "protected");
  assert.equal(textOf(await renewed.reply), "renewed");
  const { code, last } = await server.ended;
  assert.equal(code, 3);
  assert.equal(last["cut"], 2);
  assert.equal(last["completed"], 2);
  assertExact(last);
});

test("a second signal ends what is not protected, and nothing else", async (t) => {
  const { server, calls } = await serverThatRuns(
    t,
    ["--grace", "6s", "--reserve", "500ms"],
    ["plain sleep 5000", "protected protect 1500 sleep 1400"],
  );
  server.signal();
  await server.line("draining");
  const sentMs = server.signal();
  const [plain, safe] = calls;
  const atMs = (await assertCut(plain)).atMs - sentMs;
  assert.ok(atMs < 700, `cut after ${atMs} ms`);
  assert.equal(textOf(await safe.reply), "protected");
  const { code, last } = await server.ended;
  assert.equal(code, 3);
  assertExact(last);
});

test("a call whose neighbour on the same worker is protected is cut without it", async (t) => {
  const server = await scriptedServer(t, [
    "--workers",
    "1",
    "--grace=6s",
    "--reserve=500ms",
    "--call-grace=300ms",
  ]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  const other = await connectRaw(t, { connect: { port: server.port } });
  const plain = client.send("echo", script("plain sleep 5000"));
  const safe = other.send("echo", script("protected protect 1500 sleep 1000"));
  await startedIn(server.journal, "protected");
  server.signal();
  await assertCut({ reply: client.reply(plain), ended: client.ended });
  assert.equal(textOf(await other.reply(safe)), "protected");
  const { code, last } = await server.ended;
  assert.equal(code, 3);
  assertExact(last);
});

test("protection beyond grace − reserve, or beyond what a stop leaves, is denied at once", async (t) => {
  const { server, calls } = await serverThatRuns(
    t,
    ["--grace", "3s", "--reserve", "1s"],
    ["before tryProtect 2001 tryProtect 1900", "during sleep 800 tryProtect 1900"],
  );
  server.signal();
  const [before, during] = calls;
  assert.equal(textOf(await before.reply), "before SLUICE_PROTECTION_DENIED granted");
  assert.equal(textOf(await during.reply), "during SLUICE_PROTECTION_DENIED");
  assert.equal((await server.ended).code, 0);
});

test("shortly before the cut signal aborts and stopping is seen, also in a synchronous loop", async (t) => {
  const { server, calls } = await serverThatRuns(
    t,
    ["--grace", "6s", "--reserve", "500ms", "--call-grace", "800ms"],
    ["loop spinUntilStopping 5000", "async sleepUntilAborted 5000"],
  );
  const sentMs = server.signal();
  const [loop, async] = calls;
  for (const [call, text] of [
    [loop, "loop stopping"],
    [async, "async aborted"],
  ] as const) {
    const reply = await call.reply;
    assert.equal(textOf(reply), text);
    const atMs = reply.atMs - sentMs;
    assert.ok(atMs > 550 && atMs < 1100, `after ${atMs} ms`);
  }
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["completed"], 2);
});

test("allowBreak ends a call that a stop waits for, in a synchronous loop too", async (t) => {
  const { server, calls } = await serverThatRuns(
    t,
    ["--grace", "6s", "--reserve", "500ms", "--call-grace", "400ms"],
    ["loop spinBreakable 5000", "async sleepBreakable 5000"],
  );
  const sentMs = server.signal();
  for (const { reply } of calls) {
    const seen = await reply;
    assert.equal(seen.type, MessageType.EXCEPTION);
    assert.match(textOf(seen), /the call allowed to be ended here/);
  }
  const { code, last, atMs } = await server.ended;
  assert.equal(code, 3);
  assert.equal(last["cut"], 2);
  const named = (last["cutCalls"] as { method: string }[]).map(({ method }) => method);
  assert.deepEqual(named, ["Probe.echo", "Probe.echo"], "each call that was cut is named");
  assert.ok(atMs - sentMs < 2500, `${atMs - sentMs} ms`);
  assertExact(last);
});

test("a call has its deadline while it runs and while it waits for a worker", async (t) => {
  const server = await scriptedServer(t, ["--workers", "1"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  const other = await connectRaw(t, { connect: { port: server.port } });
  const running = await client.call("fail", script("running sleepUntilAborted 3000"));
  assert.match(textOf(running), /deadline has passed; unknown whether it took effect/);
  other.send("echo", script("loop spin 900"));
  await startedIn(server.journal, "loop");
  const queued = await client.call("fail", script("queued"));
  assert.match(textOf(queued), /deadline has passed; it was never started/);
  const after = await client.call("echo", script("after"));
  assert.equal(textOf(after), "after");
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["expired"], 2);
  assertExact(last);
  assert.deepEqual(
    startsOf(server.journal).map(({ id }) => id),
    ["running", "loop", "after"],
  );
});
