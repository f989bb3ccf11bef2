/** examples/scanner, updated under load: what its README promises of updates. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import types from "../../examples/scanner/gen/scanner_types.js";
import { UnknownOutcomeError } from "../../src/client/index.ts";
import { assertExact } from "../support/report.ts";
import { type ServerProcess, temporaryFolder } from "../support/server-process.ts";
import { rulesOf, ScannerLoad, scannerClient } from "./fixtures/scanner-load.ts";
import { assertAllHave, endOneWorker, startScanner, untilReplaced } from "./fixtures/scanner-process.ts";

async function assertCleanEnd(server: ServerProcess): Promise<void> {
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
}

test("no call sees a mixture of rules, and each call after an update's answer sees its rules", async (t) => {
  const server = await startScanner(t, { folder: temporaryFolder(t) });
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
  const server = await startScanner(t, { folder: temporaryFolder(t), traps: true });
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
  await assertAllHave(client, load.acked);
  t.diagnostic(
    `${load.matches} matches, ${load.updates} updates, ${load.failed.length} cut by a worker's end`,
  );
  await assertCleanEnd(server);
});

test("a rule that is not as it must be is named, and nothing changes", async (t) => {
  const server = await startScanner(t, { folder: temporaryFolder(t) });
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
