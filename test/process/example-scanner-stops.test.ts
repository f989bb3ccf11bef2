/** examples/scanner, stopped in the middle of updates: what its README promises of its rules. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertExact } from "../support/report.ts";
import { type ServerProcess, temporaryFolder } from "../support/server-process.ts";
import { rulesNow, rulesOf, ScannerLoad, scannerClient } from "./fixtures/scanner-load.ts";
import { startScanner } from "./fixtures/scanner-process.ts";

type StopSignal = "SIGTERM" | "SIGKILL";

const stops: readonly StopSignal[] = ["SIGKILL", "SIGTERM", "SIGKILL", "SIGTERM", "SIGKILL"];

const updaters = ["a", "b", "c"];

/** How long a server is loaded at most until its stop, in ms. */
const longestMs = 400;

test("what an update answered is there after any stop, and the rules are always of one update", async (t) => {
  const folder = temporaryFolder(t);
  const load = new ScannerLoad();
  let server = await startScanner(t, { folder });
  for (const [round, signal] of stops.entries()) {
    await stopAmidUpdates(t, server, load, `${round}`, signal);
    server = await startScanner(t, { folder });
    const client = scannerClient(t, server.port);
    const { version, rules } = await rulesNow(client);
    await client.close();
    t.diagnostic(`version ${version} after ${signal}; ${load.acked} was answered, ${load.seen} was seen`);
    if (signal === "SIGTERM") assert.equal(version, load.acked, "a clean stop answers what it stored");
    assert.ok(version >= load.acked && version >= load.seen);
    assert.ok(version <= load.acked + updaters.length, "no more than were under way");
    const tag = rules[0]!.name.split("/")[0]!;
    assert.deepEqual(rules, rulesOf(tag), "the rules are those of one update, all of them");
    load.learn(version, tag);
  }
});

/** Loads a server and stops it at a random moment. */
async function stopAmidUpdates(
  t: TestContext,
  server: ServerProcess,
  load: ScannerLoad,
  name: string,
  signal: StopSignal,
): Promise<void> {
  const client = scannerClient(t, server.port);
  const { updates } = load;
  const working = Promise.allSettled([
    ...Array.from({ length: 4 }, () => load.matcher(client)),
    ...updaters.map((updater) => load.updater(client, `${name}${updater}`, 1000)),
  ]);
  while (load.updates === updates) await sleep(1);
  await sleep(Math.random() * longestMs);
  server.signal(signal);
  const { code, last } = await server.ended;
  load.stop();
  await client.close({ timeoutMs: 1 });
  for (const ended of await working) {
    if (ended.status === "rejected" && ended.reason instanceof assert.AssertionError) throw ended.reason;
  }
  load.goOn();
  if (signal !== "SIGTERM") return;
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
}

for (const [when, left] of [
  ["before", 1],
  ["after", 2],
] as const) {
  test(`SIGKILL just ${when} an update is stored leaves all ${left === 1 ? "old" : "new"} rules`, async (t) => {
    const folder = temporaryFolder(t);
    const server = await startScanner(t, { folder, traps: true });
    const client = scannerClient(t, server.port);
    await client.update(rulesOf("old"));
    const updated = [...rulesOf("new"), { name: `kill ${when}`, pattern: "x" }];
    const cut = client.update(updated).catch(() => "cut");
    assert.equal((await server.ended).signal, "SIGKILL");
    await client.close({ timeoutMs: 1 });
    assert.equal(await cut, "cut");
    const next = await startScanner(t, { folder });
    const { version, rules } = await rulesNow(scannerClient(t, next.port));
    assert.equal(version, left);
    assert.deepEqual(rules, left === 1 ? rulesOf("old") : updated);
  });
}

test("a drain waits for an update that is stored and not yet published", async (t) => {
  const folder = temporaryFolder(t);
  const server = await startScanner(t, { folder, traps: true });
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  writeFileSync(join(folder, "hold-update"), "");
  const update = client.update([...rulesOf("new"), { name: "hold after", pattern: "x" }]);
  while (!existsSync(join(folder, "held-update"))) await sleep(5);
  server.signal();
  await server.line("draining");
  assert.equal(Number((await client.match(Buffer.alloc(0))).version), 1, "its connection is still served");
  rmSync(join(folder, "hold-update"));
  assert.equal(Number(await update), 2);
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
});
