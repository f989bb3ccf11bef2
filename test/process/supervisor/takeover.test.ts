import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { StatusDocument } from "../../../src/admin/status.ts";
import { ask, statusOf, untilStatus } from "../../support/admin.ts";
import { comesTrue } from "../../support/comes-true.ts";
import { startConnectLoad } from "../../support/connect-load.ts";
import { postArguments, resultOf } from "../../support/ledger-calls.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres.ts";
import { pythonMissing, runPython } from "../../support/python-peer.ts";
import { connectRaw } from "../../support/raw-client.ts";
import {
  fixture,
  type ServerProcess,
  spawnSluice,
  startServer,
  temporaryFolder,
} from "../../support/server-process.ts";

/** How many connect in a second while a process is replaced. */
const perSecond = 200;

/** Resolves when the process itself has left: its successor still has its stdout. */
async function left(server: ServerProcess): Promise<number | null> {
  if (server.child.exitCode === null) await once(server.child, "exit");
  return server.child.exitCode;
}

/**
 * Ends the successors with the test: nobody else is their parent. To be called before the first server is started, for
 * that one's end waits until they have left its stdout.
 */
function trackSuccessors(t: TestContext): number[] {
  const pids: number[] = [];
  t.after(() => {
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // It has left by itself.
      }
    }
  });
  return pids;
}

/** Runs the command against a server. */
async function takeOver(
  t: TestContext,
  server: ServerProcess,
  successors: number[],
): Promise<{ code: number | null; stderr: string }> {
  const command = spawnSluice(t, ["takeover", "--admin-port", String(server.adminPort)]);
  const { code, stderr } = await command.ended;
  const pid = Number(/process (\d+) starts/.exec(stderr)?.[1] ?? 0);
  if (pid > 1) successors.push(pid);
  return { code, stderr };
}

function hasLeft(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

function countOf(server: ServerProcess, msg: string): number {
  return server.lines.filter((line) => line["msg"] === msg).length;
}

describe("sluice takeover", () => {
  test("replaces a server on SQLite, twice, with 200 connects a second: none refused, none reset, all answered", async (t) => {
    const successors = trackSuccessors(t);
    const server = await startServer(t, { args: ["--grace", "20s"] });
    const before = await connectRaw(t, { connect: { port: server.port } });
    await resultOf(before, "post", postArguments({ id: "e1", debit: "a", credit: "b", amount: 7 }));
    const load = startConnectLoad(t, { host: "127.0.0.1", port: server.port }, perSecond);
    const pids = [server.pid];
    for (let round = 0; round < 2; round++) {
      const { code, stderr } = await takeOver(t, server, successors);
      assert.equal(code, 0, stderr);
      const { pid, phase } = await statusOf(server);
      assert.equal(phase.phase, "serving");
      assert.ok(!pids.includes(pid), "another process");
      pids.push(pid);
    }
    assert.equal(await left(server), 0);
    assert.equal(await before.ended, "fin", "a persistent connection is closed as in any drain");
    const result = await load.stop();
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual(result.failed, {});
    assert.equal(result.answered, result.started);
    assert.ok(result.started > perSecond, "there was a load");
    const after = await connectRaw(t, { connect: { port: server.port } });
    assert.equal(await resultOf(after, "balance", { 1: { string: "b" } }), 7n, "the ledger is the same");
    assert.equal(countOf(server, "listening"), 3);
  });

  test("replaces a server on PostgreSQL, where both are there at once", {
    skip: withoutPostgres,
  }, async (t) => {
    const successors = trackSuccessors(t);
    await using postgres = await startPostgres({ settings: ["fsync=off"] });
    const store = await postgres.createDatabase();
    const server = await startServer(t, { args: ["--store", store, "--grace", "20s"] });
    const load = startConnectLoad(t, { host: "127.0.0.1", port: server.port }, perSecond);
    const { code, stderr } = await takeOver(t, server, successors);
    const result = await load.stop();
    assert.equal(code, 0, stderr);
    assert.equal(await left(server), 0);
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual(result.failed, {});
    assert.equal(result.answered, result.started);
    const order = server.lines
      .map(({ msg }) => msg)
      .filter((msg) => msg === "listening" || msg === "stopped");
    assert.deepEqual(order.slice(0, 2), ["listening", "listening"], "both were there at once");
  });

  test("is not seen by Apache's Python client, with a connection per call or with one retry on a persistent one", {
    skip: pythonMissing(),
  }, async (t) => {
    const successors = trackSuccessors(t);
    const server = await startServer(t, { args: ["--grace", "20s"] });
    const stopFile = join(temporaryFolder(t), "stop");
    const modes = ["per-call", "persistent"] as const;
    const clients = modes.map((mode) => runPython("roll", server.port, mode, mode, stopFile));
    await untilStatus(server, ({ calls, connections }) => calls.completed > 20 && connections.open > 0);
    const { code, stderr } = await takeOver(t, server, successors);
    assert.equal(code, 0, stderr);
    await untilStatus(server, ({ calls }) => calls.completed > 20);
    writeFileSync(stopFile, "");
    const reports = (await Promise.all(clients)) as { errors: string[]; receipts: Record<string, number> }[];
    t.diagnostic(reports.map(({ receipts }) => `${Object.keys(receipts).length} receipts`).join(", "));
    for (const { errors } of reports) assert.deepEqual(errors, []);
    const places = reports.flatMap(({ receipts }) => Object.values(receipts));
    assert.equal(new Set(places).size, places.length);
  });

  test("leaves a server as it is when its successor can't start, and says why", async (t) => {
    const successors = trackSuccessors(t);
    const folder = temporaryFolder(t);
    // Relative to a folder that is gone for the successor: it can't load its module any more.
    const module = join(folder, "service.ts");
    writeFileSync(module, `export { default } from ${JSON.stringify(fixture("probe"))};\n`);
    const server = await startServer(t, { modules: [module] });
    const copy = join(folder, "copy.ts");
    copyFileSync(module, copy);
    rmSync(module);
    const { code, stderr } = await takeOver(t, server, successors);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /\nsluice: the successor never could serve: it ended with code 1: .*service\.ts.*; process \d+ serves on\n$/,
    );
    assert.doesNotMatch(stderr, /its own lines/);
    const status: StatusDocument = await statusOf(server);
    assert.equal(status.pid, server.pid);
    assert.equal(status.phase.phase, "serving");
    const client = await connectRaw(t, { connect: { port: server.port } });
    assert.equal((await client.call("sleep", { 1: { i32: 1 } })).type, 2);
    client.end();

    copyFileSync(copy, module);
    assert.equal((await takeOver(t, server, successors)).code, 0, "the next try may work");
    assert.equal(await left(server), 0);
  });

  test("a stop while the successor starts ends both", async (t) => {
    const successors = trackSuccessors(t);
    const folder = temporaryFolder(t);
    const gate = join(folder, "gate");
    writeFileSync(gate, "");
    const server = await startServer(t, {
      modules: [fixture("slow-start")],
      args: ["--grace", "1s", "--reserve", "200ms"],
      env: { SLOW_START_GATE: gate, PROBE_JOURNAL: join(folder, "journal") },
    });
    // The successor waits for it from now on.
    rmSync(gate);
    const answer = await fetch(`${server.adminUrl}/takeover`, {
      method: "POST",
      headers: { "x-sluice-admin": "1" },
    });
    assert.equal(answer.status, 202);
    const { pid } = (await answer.json()) as { pid: number };
    successors.push(pid);
    assert.ok(pid !== server.pid);
    await untilStatus(server, ({ takeover }) => takeover !== null);
    server.signal();
    const { code, signal } = await server.ended;
    assert.equal(signal, null);
    assert.equal(code, 0);
    // One that outlives its parent for a moment is there until init has noticed.
    await comesTrue(() => hasLeft(pid), "the successor has ended, too");
  });

  test("is refused for a Unix domain socket that the server made itself, and needs the header", async (t) => {
    const successors = trackSuccessors(t);
    const server = await startServer(t, { args: ["--socket", join(temporaryFolder(t), "s.sock")] });
    const refused = await fetch(`${server.adminUrl}/takeover`, { method: "POST" });
    assert.equal(refused.status, 403);
    const { code, stderr } = await takeOver(t, server, successors);
    assert.equal(code, 1);
    assert.match(stderr, /409 .*systemd's socket activation/);
    assert.equal((await ask(server, "/readyz")).status, 200);
  });
});
