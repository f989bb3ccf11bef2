import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { untilStatus } from "../../support/admin.ts";
import { connectRaw } from "../../support/raw-client.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../../support/server-process.ts";
import { type PythonProgram, startPython, withoutPython } from "./python.ts";

const without: string | false =
  withoutPython === false && spawnSync("systemd-notify", ["--version"]).status !== 0
    ? process.env["SLUICE_REQUIRE_PEERS"] !== "1" && "there is no systemd-notify here"
    : withoutPython;

interface Unit {
  readonly socket: PythonProgram;
  readonly server: ServerProcess;
  /** Resolves when a message with this assignment has come. */
  told(assignment: string | RegExp): Promise<readonly string[]>;
}

async function startUnit(
  t: TestContext,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Unit> {
  const path = join(temporaryFolder(t), "notify");
  const socket = startPython(t, "notify_socket", path);
  await socket.line((line) => line["bound"] === true);
  const server = await startServer(t, {
    modules: [fixture("probe")],
    args,
    env: { NOTIFY_SOCKET: path, ...env },
  });
  return {
    socket,
    server,
    async told(wanted) {
      const fits = (text: string): boolean =>
        typeof wanted === "string" ? text === wanted : wanted.test(text);
      const line = await socket.line((candidate) => ((candidate["lines"] ?? []) as string[]).some(fits));
      return line["lines"] as string[];
    },
  };
}

/** The names of all assignments in order of arrival, without those that come by the clock. */
function storyOf({ socket }: Unit): string[] {
  return socket.lines
    .flatMap((line) => (line["lines"] ?? []) as string[])
    .filter((text) => !/^(STATUS|EXTEND_TIMEOUT_USEC|WATCHDOG|MONOTONIC_USEC)=/.test(text));
}

describe("a unit of Type=notify", { skip: without }, () => {
  test("is told start, readiness, reload, what is in flight in the stop, more time, and the end, in this order", async (t) => {
    const unit = await startUnit(t, ["--grace", "8s"]);
    await unit.told("STATUS=starting");
    await unit.told("READY=1");
    unit.server.signal("SIGHUP");
    await unit.told("RELOADING=1");
    await unit.server.line("reloaded");
    const client = await connectRaw(t, { connect: { port: unit.server.port } });
    const slow = client.call("sleep", { 1: { i32: 2500 } });
    await untilStatus(unit.server, ({ calls }) => calls.running === 1);
    unit.server.signal();
    const stopping = await unit.told("STOPPING=1");
    assert.match(stopping[1]!, /^STATUS=draining: 1 call in flight, 1 connection, at most 8 s left$/);
    assert.match(stopping[2]!, /^EXTEND_TIMEOUT_USEC=6000000$/);
    assert.equal((await slow).type, 2);
    assert.equal((await unit.server.ended).code, 0);
    await unit.told("STATUS=stopped");
    assert.deepEqual(storyOf(unit), ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    const extensions = unit.socket.lines
      .flatMap((line) => (line["lines"] ?? []) as string[])
      .filter((text) => text.startsWith("EXTEND_TIMEOUT_USEC="));
    assert.ok(extensions.length >= 4, `one in the start, and one for each second of the stop: ${extensions}`);
  });

  test("gets a sign of life at half the watchdog's interval, also while all workers are stuck", async (t) => {
    const unit = await startUnit(t, ["--grace", "3s"], { WATCHDOG_USEC: "1000000" });
    const client = await connectRaw(t, { connect: { port: unit.server.port } });
    for (let worker = 0; worker < 2; worker++) client.send("spin", { 1: { i32: 1500 } });
    await untilStatus(unit.server, ({ calls }) => calls.running === 2);
    const signs = (): number[] =>
      unit.socket.lines
        .filter((line) => ((line["lines"] ?? []) as string[]).includes("WATCHDOG=1"))
        .map((line) => line["at"] as number);
    const before = signs().length;
    await unit.socket.line(() => signs().length >= before + 4);
    const times = signs().slice(-4);
    const longest = Math.max(...times.slice(1).map((at, index) => at - times[index]!));
    assert.ok(longest < 1000, `${longest} ms between two signs`);
    unit.server.signal();
    await unit.server.ended;
  });

  test("is not kept from stopping by a notify socket that nobody reads", async (t) => {
    const nowhere = join(temporaryFolder(t), "nobody");
    const server = await startServer(t, {
      modules: [fixture("probe")],
      env: { NOTIFY_SOCKET: nowhere, WATCHDOG_USEC: "200000" },
    });
    const atMs = server.signal();
    const ended = await server.ended;
    assert.equal(ended.code, 0);
    assert.ok(ended.atMs - atMs < 2000);
  });
});
