import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ask, untilReadyz, untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { freePort } from "../support/free-ports.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import {
  fixture,
  type ServerProcess,
  spawnServer,
  startServer,
  temporaryFolder,
} from "../support/server-process.ts";

/** Far less than what an end would take that waits for what it must not wait for, also on a busy machine. */
const soonMs = 6000;

const signals = { SIGTERM: 15, SIGINT: 2, SIGQUIT: 3 } as const;

/** A server that stays in its start until `open()`. */
interface Starting {
  readonly server: ServerProcess;
  readonly adminUrl: string;
  open(): void;
  journal(): string[];
}

/** Starts a server that waits in its handler factories, with an admin port that is known before. */
async function startSlowly(t: TestContext, ...args: string[]): Promise<Starting> {
  const folder = temporaryFolder(t);
  const gate = join(folder, "gate");
  const journalFile = join(folder, "journal");
  writeFileSync(journalFile, "");
  const adminPort = await freePort();
  // In use: a server that tried to listen, for however short a moment, would fail to start.
  const port = await occupy(t);
  const server = spawnServer(t, {
    modules: [fixture("slow-start")],
    args: ["--port", `${port}`, "--admin-port", `${adminPort}`, ...args],
    env: { SLOW_START_GATE: gate, PROBE_JOURNAL: journalFile },
  });
  const journal = (): string[] => readFileSync(journalFile, "utf8").split("\n").slice(0, -1);
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  await untilHandlersOpen(journal, server);
  return { server, adminUrl, open: () => writeFileSync(gate, ""), journal };
}

async function untilHandlersOpen(journal: () => string[], server: ServerProcess): Promise<void> {
  while (journal().filter((line) => line === "open handler").length < 2) {
    assert.equal(server.child.exitCode, null, server.stderr);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Listens until the test ends, and returns the port. */
async function occupy(t: TestContext): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}

// Each test waits for processes of its own most of its time.
describe("signals", { concurrency: 3 }, () => {
  for (const signal of Object.keys(signals) as (keyof typeof signals)[]) {
    test(`${signal} during a slow start: the start completes, nothing ever listens, all is closed, exit 0`, async (t) => {
      const { server, adminUrl, open, journal } = await startSlowly(t);
      assert.equal((await ask({ adminUrl }, "/readyz")).text, "starting\n");
      server.signal(signal);
      assert.equal((await server.line("draining"))["reason"], signal);
      assert.equal((await ask({ adminUrl }, "/livez")).status, 200, "still there: the start is shielded");
      assert.ok(
        !journal().some((line) => line.startsWith("close")),
        "nothing is closed before the start is over",
      );
      open();
      const { code, last, lines } = await server.ended;
      assert.equal(code, 0, JSON.stringify(last));
      assertExact(last);
      assert.deepEqual([last["outcome"], last["reason"], last["received"]], ["clean", signal, 0]);
      assert.ok(!lines.some(({ msg }) => msg === "listening"));
      assert.deepEqual(
        journal()
          .filter((line) => !line.startsWith("open"))
          .sort(),
        [
          "close handler",
          "close handler",
          "close process resource",
          "close worker resource",
          "close worker resource",
          "flush process resource",
        ],
      );
      assert.equal(journal().at(-1), "close process resource", "opened first, closed last");
    });
  }

  test("a start that outlasts the grace period of a signal ends in time, with 1", async (t) => {
    const { server, journal } = await startSlowly(t, "--grace", "800ms", "--reserve", "300ms");
    const signalledAtMs = server.signal();
    const { code, last, stderr, atMs } = await server.ended;
    assert.equal(code, 1, JSON.stringify(last));
    assertExact(last);
    assert.equal(last["outcome"], "start-failed");
    assert.ok(atMs - signalledAtMs < soonMs, `took ${atMs - signalledAtMs} ms`);
    assert.match(stderr, /^sluice: [^\n]*grace period[^\n]*\n$/);
    assert.ok(journal().includes("open process resource"));
  });

  test("the third signal during a start exits at once with 128 and its number", async (t) => {
    const { server } = await startSlowly(t);
    server.signal("SIGTERM");
    await server.line("draining");
    server.signal("SIGTERM");
    await server.line("hastened");
    server.signal("SIGINT");
    const { code, last } = await server.ended;
    assert.equal(code, 130, JSON.stringify(last));
    assert.deepEqual([last["msg"], last["outcome"]], ["stopped", "forced"]);
  });

  for (const signal of Object.keys(signals) as (keyof typeof signals)[]) {
    test(`${signal} drains: the call in flight is answered, exit 0`, async (t) => {
      const server = await startServer(t, { modules: [fixture("probe")] });
      const client = await connectRaw(t, { connect: { port: server.port } });
      const seqid = client.send("sleep", { 1: { i32: 1500 } });
      await untilStatus(server, ({ calls }) => calls.running === 1);
      server.signal(signal);
      assert.equal((await client.reply(seqid)).body[0], 1500n);
      const { code, last } = await server.ended;
      assert.equal(code, 0);
      assertExact(last);
      assert.deepEqual([last["reason"], last["completed"]], [signal, 1]);
    });
  }

  const longCallMs = 30_000;

  test("a second signal ends callGrace at once: the call is cut and told so, exit 3", async (t) => {
    const server = await startServer(t, { modules: [fixture("probe")], args: ["--grace", "20s"] });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const sleeping = client.send("sleep", { 1: { i32: longCallMs } });
    const other = await connectRaw(t, { connect: { port: server.port } });
    const noticed = other.send("sleepUntilAborted", { 1: { i32: longCallMs } });
    await untilStatus(server, ({ calls }) => calls.running === 2);
    server.signal("SIGTERM");
    await server.line("draining");
    const hastenedAtMs = server.signal("SIGINT");
    assert.equal(
      (await other.reply(noticed)).type,
      MessageType.REPLY,
      "a handler that heeds its signal is answered",
    );
    const { type, body } = await client.reply(sleeping);
    assert.equal(type, MessageType.EXCEPTION);
    assert.equal(body[2], 6);
    const { code, last, atMs } = await server.ended;
    assert.equal(code, 3, JSON.stringify(last));
    assertExact(last);
    assert.deepEqual(
      [last["outcome"], last["completed"], last["cut"], last["reason"]],
      ["cut", 1, 1, "SIGTERM"],
    );
    assert.ok(atMs - hastenedAtMs < soonMs, `took ${atMs - hastenedAtMs} ms of a grace of 20 s`);
  });

  test("a protected section keeps its time after a second signal", async (t) => {
    const server = await startServer(t, { modules: [fixture("probe")] });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const seqid = client.send("guarded", { 1: { i32: 2500 }, 2: { i32: 5000 } });
    await untilStatus(server, ({ calls }) => calls.running === 1);
    server.signal("SIGTERM");
    await server.line("draining");
    server.signal("SIGTERM");
    await server.line("hastened");
    assert.equal((await client.reply(seqid)).body[0], 2500n);
    const { code, last } = await server.ended;
    assert.equal(code, 0, JSON.stringify(last));
    assertExact(last);
  });

  for (const [signal, number] of Object.entries(signals) as [keyof typeof signals, number][]) {
    test(`a third signal, ${signal}, exits at once with ${128 + number}, whatever runs`, async (t) => {
      const server = await startServer(t, { modules: [fixture("probe")], args: ["--grace", "40s"] });
      const client = await connectRaw(t, { connect: { port: server.port } });
      // The stop waits for this one, so that it is not over before the third signal.
      client.send("guarded", { 1: { i32: longCallMs }, 2: { i32: longCallMs } });
      // Native code, which no thread can be ended in: the exit must not wait for it.
      client.send("nativeBlock", { 1: { i32: -2 } });
      await untilStatus(server, ({ calls }) => calls.running === 2);
      server.signal("SIGTERM");
      await server.line("draining");
      server.signal("SIGTERM");
      await server.line("hastened");
      const forcedAtMs = server.signal(signal);
      const { code, last, atMs } = await server.ended;
      assert.equal(code, 128 + number, JSON.stringify(last));
      assert.deepEqual([last["msg"], last["outcome"], last["exitCode"]], ["stopped", "forced", 128 + number]);
      assert.ok(atMs - forcedAtMs < soonMs, `took ${atMs - forcedAtMs} ms`);
    });
  }

  test("lame-duck: unready but serving, and a second signal skips what is left of it", async (t) => {
    const server = await startServer(t, {
      modules: [fixture("probe")],
      args: ["--grace", "40s", "--lame-duck", "30s"],
    });
    server.signal();
    await untilReadyz(server, 503);
    const client = await connectRaw(t, { connect: { port: server.port } });
    assert.equal((await client.call("add", { 1: { i32: 1 }, 2: { i32: 2 } })).body[0], 3, "still accepts");
    const hastenedAtMs = server.signal();
    const { code, last, atMs } = await server.ended;
    assert.equal(code, 0, JSON.stringify(last));
    assertExact(last);
    assert.ok(atMs - hastenedAtMs < soonMs, `took ${atMs - hastenedAtMs} ms of a lame-duck of 30 s`);
  });
});
