/** Sluice's client and Apache's own servers, which know nothing of drains: killed while they run calls. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ApplicationError,
  type Client,
  type ClientOptions,
  createClient,
  DeadlineError,
  NotStartedError,
  UnknownOutcomeError,
} from "thrift-sluice/client";
import Probe from "../gen/Probe.js";
import types from "../gen/probe_types.js";
import { comesTrue } from "../support/comes-true.ts";
import { assertPresent, type Command, peers, skipped } from "./peers.ts";

interface ProbeServer {
  readonly child: ChildProcess;
  readonly port: number;
}

const sources = {
  python: { name: "probe-server-py", source: "servers/probe_server.py", idl: "test/idl/probe.thrift" },
  cpp: { name: "probe-server-cpp", source: "servers/probe_server.cpp", idl: "test/idl/probe.thrift" },
} as const;

async function start(t: TestContext, command: Command, ...words: string[]): Promise<ProbeServer> {
  const child = spawn(command.file, [...command.args, ...words], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...command.env },
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout!), "line")) as [string];
  return { child, port: Number(line) };
}

for (const id of ["python", "cpp"] as const) {
  test(`a stock ${id} server is called in all of its ways, and killed mid-call every call is settled`, {
    skip: skipped(id),
    timeout: 240_000,
  }, async (t) => {
    assertPresent(id);
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    t.after(() => process.off("unhandledRejection", note));
    const command = await peers[id].prepare(sources[id]);
    for (const transport of ["framed", "unframed", "header"] as const) {
      for (const protocol of ["binary", "compact", "json"] as const) {
        // Apache's THeader servers have no JSON.
        if (transport === "header" && protocol === "json") continue;
        await killMidCall(t, command, { transport, protocol });
      }
    }
    assert.deepEqual(unhandled, []);
  });
}

async function useAll(client: Client<typeof Probe>): Promise<void> {
  const sums = await Promise.all(Array.from({ length: 200 }, (_, i) => client.add(i, 1)));
  assert.deepEqual(
    sums,
    sums.map((_, i) => i + 1),
  );
  assert.equal(await client.echo("grüße"), "grüße");
  await client.note("x");
  await assert.rejects(client.fail("declared"), types.Declared);
  await assert.rejects(client.fail("error"), ApplicationError);
}

test("a stock python server is called by HTTP, which closes each connection behind its answer", {
  skip: skipped("python"),
}, async (t) => {
  assertPresent("python");
  const command = await peers.python.prepare(sources.python);
  for (const protocol of ["binary", "compact", "json"] as const) {
    const { port, child } = await start(t, command, "0", "http", protocol);
    const client = createClient(Probe, {
      endpoints: `127.0.0.1:${port}`,
      transport: "http",
      protocol,
      timeoutMs: 3000,
      // More than a few wait so long for a server with one thread that the kernel drops them.
      connections: 4,
    });
    await useAll(client);
    const sleeping = assert.rejects(client.sleep(60_000), UnknownOutcomeError);
    await comesTrue(() => client.stats().inFlight === 1, "it sleeps");
    await sleep(100);
    child.kill("SIGKILL");
    await sleeping;
    await assert.rejects(client.add(1, 2, { timeoutMs: 300 }), DeadlineError);
    await client.close();
  }
});

async function killMidCall(
  t: TestContext,
  command: Command,
  { transport, protocol }: Required<Pick<ClientOptions, "transport" | "protocol">>,
): Promise<void> {
  const before = process.getActiveResourcesInfo().length;
  const server = await start(t, command, "0", transport, protocol);
  const client = createClient(Probe, {
    endpoints: `127.0.0.1:${server.port}`,
    transport,
    protocol,
    timeoutMs: 3000,
    connections: 8,
    methods: { add: { idempotent: true } },
  });
  await useAll(client);

  // One call that a thread of the server runs, and others of which some wait behind it.
  const sleeping = client.sleep(60_000);
  const unrepeatable = Array.from({ length: 32 }, () => client.sleep(30));
  const again = Array.from({ length: 32 }, (_, i) => client.add(i, 1));
  await Promise.race(unrepeatable);
  server.child.kill("SIGKILL");
  await assert.rejects(sleeping, UnknownOutcomeError);
  for (const result of await Promise.allSettled(unrepeatable)) {
    if (result.status === "fulfilled") continue;
    const { reason } = result;
    assert.ok(
      reason instanceof UnknownOutcomeError ||
        reason instanceof NotStartedError ||
        reason instanceof DeadlineError,
      String(reason),
    );
  }
  const successor = await start(t, command, String(server.port), transport, protocol);
  assert.deepEqual(
    await Promise.all(again),
    again.map((_, i) => i + 1),
    "idempotent calls are answered by its successor",
  );
  await client.close();
  successor.child.kill("SIGKILL");
  await ended(successor.child);
  await comesTrue(() => process.getActiveResourcesInfo().length <= before, "nothing is left open");
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
