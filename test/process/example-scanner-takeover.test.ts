/** examples/scanner, replaced by a new process under load. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { statusOf } from "../support/admin.ts";
import { spawnServer, spawnSluice, temporaryFolder } from "../support/server-process.ts";
import { rulesNow, ScannerLoad, scannerClient } from "./fixtures/scanner-load.ts";
import { scannerEnvironment, scannerModule, startScanner } from "./fixtures/scanner-process.ts";

test("a second server is kept from the rules; a successor waits for them and loses no update", async (t) => {
  const folder = temporaryFolder(t);
  const successors: number[] = [];
  t.after(() => {
    for (const pid of successors) process.kill(pid, "SIGTERM");
  });
  const server = await startScanner(t, { folder });
  const second = spawnServer(t, { modules: [scannerModule()], env: scannerEnvironment(folder) });
  const { code, stderr } = await second.ended;
  assert.equal(code, 1);
  assert.match(stderr, /another process has .*rules\.db/);

  const client = scannerClient(t, server.port);
  const load = new ScannerLoad();
  const working = Promise.allSettled([
    ...Array.from({ length: 4 }, () => load.matcher(client)),
    ...["a", "b"].map((name) => load.updater(client, name, 10_000)),
  ]);
  const command = spawnSluice(t, ["takeover", "--admin-port", String(server.adminPort)]);
  const taken = await command.ended;
  assert.equal(taken.code, 0, taken.stderr);
  successors.push((await statusOf(server)).pid);
  if (server.child.exitCode === null) await once(server.child, "exit");
  const { updates } = load;
  while (load.updates < updates + 5) await sleep(5);
  load.stop();
  for (const ended of await working) assert.equal(ended.status, "fulfilled", JSON.stringify(ended));
  assert.deepEqual(load.failed, []);
  assert.equal((await rulesNow(client)).version, load.acked);
  t.diagnostic(`${load.updates} updates and ${load.matches} matches across the takeover`);
});
