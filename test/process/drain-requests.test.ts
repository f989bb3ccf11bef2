/** Who may ask for a drain, a reload or neither, and what a drain waits for besides calls. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { journalOf, script, scriptedServer, startedIn, textOf } from "../oracle/scripted.ts";
import { ask, untilStatus } from "../support/admin.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { type ServerProcess, spawnSluice } from "../support/server-process.ts";

async function post(server: ServerProcess, path: string): Promise<number> {
  const headers = { "x-sluice-admin": "test", connection: "close" };
  return (await fetch(`${server.adminUrl}${path}`, { method: "POST", headers })).status;
}

/** Leaves as soon as the server does. */
async function connectPolite(t: TestContext, server: ServerProcess): Promise<RawClient> {
  const client = await connectRaw(t, { connect: { port: server.port } });
  void client.ended.then(() => client.end());
  return client;
}

test("a drain waits for background promises", async (t) => {
  const server = await scriptedServer(t);
  const client = await connectPolite(t, server);
  assert.equal(textOf(await client.call("echo", script("work background 700"))), "work");
  const sentMs = server.signal();
  const { code, atMs } = await server.ended;
  assert.equal(code, 0);
  assert.ok(journalOf(server.journal).includes("background work"));
  assert.ok(atMs - sentMs < 2500);
});

test("background promises that never settle end with the grace period and are reported", async (t) => {
  const server = await scriptedServer(t, ["--grace=1500ms", "--reserve=500ms"]);
  const client = await connectPolite(t, server);
  await client.call("echo", script("work background 60000"));
  const sentMs = server.signal();
  const { code, last, atMs } = await server.ended;
  assert.equal(code, 4);
  assert.deepEqual(
    (last["failures"] as { part: string }[]).map(({ part }) => part),
    ["background"],
  );
  assert.ok(atMs - sentMs < 2000, `${atMs - sentMs} ms`);
});

test("SIGHUP reloads in every worker and disturbs no call", async (t) => {
  const server = await scriptedServer(t, ["--hup=reload"]);
  const client = await connectPolite(t, server);
  const seqid = client.send("echo", script("old sleep 500"));
  await startedIn(server.journal, "old");
  server.signal("SIGHUP");
  await server.line("reloaded");
  assert.equal(journalOf(server.journal).filter((line) => line === "reload").length, 2);
  assert.equal(client.replies.length, 0, "the old call still runs");
  assert.equal(textOf(await client.call("echo", script("new"))), "new");
  assert.equal(textOf(await client.reply(seqid)), "old");
  server.signal();
  assert.equal((await server.ended).code, 0);
});

test("SIGHUP does nothing, or drains, where hup says so", async (t) => {
  const deaf = await scriptedServer(t, ["--hup=ignore"]);
  deaf.signal("SIGHUP");
  await deaf.line("a signal is ignored");
  const leaving = await scriptedServer(t, ["--hup=drain"]);
  leaving.signal("SIGHUP");
  assert.equal((await leaving.ended).last["reason"], "SIGHUP");
  deaf.signal();
  assert.equal((await deaf.ended).code, 0);
});

test("a program's hooks are called: onHup with a reload, beforeExit as the last step", async (t) => {
  const path = fileURLToPath(new URL("../oracle/program.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=sluice-source", path]);
  t.after(() => child.kill("SIGKILL"));
  const told = linesOf(child);
  for (let text = ""; !text.includes('"listening"'); ) text += String((await once(child.stdout, "data"))[0]);
  child.kill("SIGHUP");
  assert.equal((await told.next()).value, "onHup");
  child.kill("SIGTERM");
  assert.equal((await told.next()).value, "beforeExit");
  assert.equal((await told.next()).value, "stopped clean");
});

test("with maxSignals 2 the second signal exits at once, with 128 + its number", async (t) => {
  const server = await scriptedServer(t, ["--max-signals=2"]);
  const client = await connectRaw(t, { connect: { port: server.port } });
  client.send("echo", script("loop spin -1"));
  await startedIn(server.journal, "loop");
  server.signal("SIGTERM");
  await server.line("draining");
  const sentMs = server.signal("SIGINT");
  const { code, last, atMs } = await server.ended;
  assert.equal(code, 130);
  assert.equal(last["outcome"], "forced");
  assert.ok(atMs - sentMs < 1000, `${atMs - sentMs} ms`);
});

test("a drain asked for by POST and by signal is one drain", async (t) => {
  const server = await scriptedServer(t);
  const client = await connectPolite(t, server);
  const seqid = client.send("echo", script("slow sleep 600"));
  await startedIn(server.journal, "slow");
  assert.equal(await post(server, "/drain"), 202);
  assert.equal(await post(server, "/drain"), 202);
  server.signal();
  assert.equal(textOf(await client.reply(seqid)), "slow");
  const { code, last, lines } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["reason"], "POST /drain");
  assert.equal(lines.filter(({ msg }) => msg === "draining").length, 1);
  assertExact(last);
});

test("an undrain in lame-duck leads back to serving, and the next drain is a new one", async (t) => {
  const server = await scriptedServer(t, ["--lame-duck=3s"]);
  const client = await connectPolite(t, server);
  assert.equal(await post(server, "/drain"), 202);
  await untilStatus(server, ({ phase }) => phase.phase === "lame-duck");
  assert.equal((await ask(server, "/readyz")).status, 503);
  assert.equal(textOf(await client.call("echo", script("still"))), "still");
  const admin = ["--admin-port", `${server.adminPort}`];
  const undrain = await spawnSluice(t, ["undrain", ...admin]).ended;
  assert.deepEqual([undrain.code, undrain.stdout], [0, ""], undrain.stderr);
  assert.equal(undrain.stderr, `127.0.0.1:${server.adminPort} serves again\n`);
  await untilStatus(server, ({ phase }) => phase.phase === "serving");
  assert.equal((await ask(server, "/readyz")).status, 200);
  assert.equal(textOf(await client.call("echo", script("again"))), "again");
  assert.equal(await post(server, "/drain"), 202);
  server.signal();
  // A signal has joined this one: it can't be taken back.
  await untilStatus(server, ({ phase }) => phase.phase === "lame-duck");
  assert.equal(await post(server, "/undrain"), 409);
  server.signal("SIGINT");
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
});

async function* linesOf(child: ChildProcess): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const chunk of child.stderr!) {
    rest += String(chunk);
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}
