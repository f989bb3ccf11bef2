/** examples/scanner, updated under load: what its README promises of updates. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import types from "../../examples/scanner/gen/scanner_types.js";
import { UnknownOutcomeError } from "../../src/client/index.ts";
import { untilStatus } from "../support/admin.ts";
import { assertExact } from "../support/report.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";
import {
  endOneWorker,
  rulesOf,
  ScannerLoad,
  scannerClient,
  versionsByWorker,
} from "./fixtures/scanner-load.ts";

const example = fileURLToPath(new URL("../../examples/scanner/scanner.ts", import.meta.url));
const withTraps = fileURLToPath(new URL("fixtures/scanner-with-traps.ts", import.meta.url));
const workers = 3;

interface Scanner extends ServerProcess {
  readonly folder: string;
}

async function startScanner(t: TestContext, module: string): Promise<Scanner> {
  const folder = temporaryFolder(t);
  const env = { SCANNER_RULES: join(folder, "rules.db"), SCANNER_TRAPS: folder };
  const server = await startServer(t, { modules: [module], env, args: ["--workers", String(workers)] });
  return Object.assign(server, { folder });
}

/** Resolves when every worker is ready again. */
async function untilReplaced(server: ServerProcess): Promise<void> {
  await untilStatus(server, ({ lanes }) => lanes.every(({ state }) => state === "ready"));
}

async function assertCleanEnd(server: ServerProcess): Promise<void> {
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
}

test("no call sees a mixture of rules, and each call after an update's answer sees its rules", async (t) => {
  const server = await startScanner(t, example);
  const client = scannerClient(t, server.port);
  const load = new ScannerLoad();
  const matchers = Array.from({ length: 12 }, () => load.matcher(client));
  const updaters = ["a", "b", "c"].map((name) => load.updater(client, name, 40));
  await Promise.race([Promise.all(updaters), ...matchers]);
  load.stop();
  await Promise.all(matchers);

  assert.deepEqual(load.failed, []);
  assert.equal(load.updates, 120);
  assert.equal(load.acked, 120, "each update is a version of its own, and none is left out");
  assert.equal(load.tags.size, 120);
  assert.ok(load.matches > 120, `${load.matches} matches`);
  const { version, rules } = await client.rules();
  assert.equal(Number(version), 120);
  assert.deepEqual(
    rules,
    rulesOf(load.tags.get(120)!).map((rule) => new types.Rule(rule)),
  );
  t.diagnostic(`${load.matches} matches beside ${load.updates} updates`);
  await assertCleanEnd(server);
});

test("the same holds while workers die and are replaced", async (t) => {
  const server = await startScanner(t, withTraps);
  const client = scannerClient(t, server.port);
  const killer = scannerClient(t, server.port, false);
  const load = new ScannerLoad();
  const matchers = Array.from({ length: 8 }, () => load.matcher(client));
  const updaters = ["a", "b", "c"].map((name) => load.updater(client, name, 1000));
  const working = Promise.race([...matchers, ...updaters]);
  for (let deaths = 1; deaths <= 6; deaths++) {
    const { matches, updates } = load;
    while (load.matches < matches + 10 || load.updates < updates + 3) {
      await Promise.race([working, sleep(5)]);
    }
    await endOneWorker(killer);
  }
  await untilReplaced(server);
  load.stop();
  await Promise.all([...matchers, ...updaters]);
  for (const error of load.failed) assert.ok(error instanceof UnknownOutcomeError, String(error));
  await load.update(client, "last");
  for (const version of (await versionsByWorker(client, workers)).values()) assert.equal(version, load.acked);
  t.diagnostic(
    `${load.matches} matches, ${load.updates} updates, ${load.failed.length} cut by a worker's end`,
  );
  await assertCleanEnd(server);
});

test("rules whose worker dies before it can tell the others reach all by the worker that replaces it", async (t) => {
  const server = await startScanner(t, withTraps);
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  const untold = client.update([{ name: "exit after", pattern: "x" }]);
  await assert.rejects(untold, UnknownOutcomeError);
  await untilReplaced(server);
  const versions = [...(await versionsByWorker(client, workers)).values()];
  assert.deepEqual(
    versions,
    versions.map(() => 2),
  );
});

test("an update whose worker dies before it was stored changes nothing", async (t) => {
  const server = await startScanner(t, withTraps);
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  await assert.rejects(client.update([{ name: "exit before", pattern: "x" }]), UnknownOutcomeError);
  assert.equal(Number(await client.update(rulesOf("new"))), 2);
});

test("a worker that starts while an update is under way begins with the new rules", async (t) => {
  const server = await startScanner(t, withTraps);
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  writeFileSync(join(server.folder, "hold-start"), "");
  await endOneWorker(scannerClient(t, server.port, false));
  // It has read the old rules and is held before it does anything with them.
  while (!existsSync(join(server.folder, "held-start"))) await sleep(5);
  assert.equal(Number(await client.update(rulesOf("new"))), 2);
  rmSync(join(server.folder, "hold-start"));
  await untilReplaced(server);
  const versions = [...(await versionsByWorker(client, workers)).values()];
  assert.deepEqual(
    versions,
    versions.map(() => 2),
  );
});

test("updates that are published in another order than they were stored in leave the later one", async (t) => {
  const server = await startScanner(t, withTraps);
  const client = scannerClient(t, server.port);
  writeFileSync(join(server.folder, "hold-update"), "");
  const first = client.update([...rulesOf("first"), { name: "hold after", pattern: "x" }]);
  while (!existsSync(join(server.folder, "held-update"))) await sleep(5);
  assert.equal(Number(await client.update(rulesOf("second"))), 2);
  rmSync(join(server.folder, "hold-update"));
  assert.equal(Number(await first), 1);
  // One more is born with what was published last, which is the first one.
  await endOneWorker(scannerClient(t, server.port, false));
  await untilReplaced(server);
  const versions = [...(await versionsByWorker(client, workers)).values()];
  assert.deepEqual(
    versions,
    versions.map(() => 2),
  );
});

test("a rule that is not as it must be is named, and nothing changes", async (t) => {
  const server = await startScanner(t, example);
  const client = scannerClient(t, server.port);
  await client.update([{ name: "kept", pattern: "kept" }]);
  const bad: readonly [pattern: string, message: RegExp][] = [
    ["", /its pattern is empty/],
    ["\\n", /after a backslash there must be another one, or xNN/],
    ["\\x4", /after a backslash/],
    ["x".repeat(16 * 1024), /more than 16384 bytes/],
  ];
  for (const [pattern, message] of bad) {
    const update = client.update([
      { name: "good", pattern: "good" },
      { name: "bad", pattern },
    ]);
    await assert.rejects(update, (error) => {
      assert.ok(error instanceof types.BadRule);
      assert.equal(error.rule, "bad");
      assert.match(error.message, message);
      return true;
    });
  }
  const twice = [1, 2].map((at) => ({ name: "twice", pattern: String(at) }));
  await assert.rejects(client.update(twice), types.BadRule);
  const { version, rules } = await client.match(Buffer.from("good 1 2 kept"));
  assert.deepEqual([Number(version), rules], [1, ["kept"]]);
});
