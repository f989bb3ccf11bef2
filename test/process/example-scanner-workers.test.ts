/** examples/scanner, whose workers die or start at the worst moment of an update. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { UnknownOutcomeError } from "../../src/client/index.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { rulesOf, scannerClient } from "./fixtures/scanner-load.ts";
import { assertAllHave, endOneWorker, startScanner, untilReplaced } from "./fixtures/scanner-process.ts";

test("rules whose worker dies before it can tell the others reach all by the worker that replaces it", async (t) => {
  const server = await startScanner(t, { folder: temporaryFolder(t), traps: true });
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  const untold = client.update([{ name: "exit after", pattern: "x" }]);
  await assert.rejects(untold, UnknownOutcomeError);
  await untilReplaced(server);
  await assertAllHave(client, 2);
});

test("an update whose worker dies before it was stored changes nothing", async (t) => {
  const server = await startScanner(t, { folder: temporaryFolder(t), traps: true });
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  await assert.rejects(client.update([{ name: "exit before", pattern: "x" }]), UnknownOutcomeError);
  assert.equal(Number(await client.update(rulesOf("new"))), 2);
});

test("a worker that starts while an update is under way begins with the new rules", async (t) => {
  const folder = temporaryFolder(t);
  const server = await startScanner(t, { folder, traps: true });
  const client = scannerClient(t, server.port);
  await client.update(rulesOf("old"));
  writeFileSync(join(folder, "hold-start"), "");
  await endOneWorker(scannerClient(t, server.port, false));
  // It has read the old rules and is held before it does anything with them.
  while (!existsSync(join(folder, "held-start"))) await sleep(5);
  assert.equal(Number(await client.update(rulesOf("new"))), 2);
  rmSync(join(folder, "hold-start"));
  await untilReplaced(server);
  await assertAllHave(client, 2);
});

test("updates that are published in another order than they were stored in leave the later one", async (t) => {
  const folder = temporaryFolder(t);
  const server = await startScanner(t, { folder, traps: true });
  const client = scannerClient(t, server.port);
  writeFileSync(join(folder, "hold-update"), "");
  const first = client.update([...rulesOf("first"), { name: "hold after", pattern: "x" }]);
  while (!existsSync(join(folder, "held-update"))) await sleep(5);
  assert.equal(Number(await client.update(rulesOf("second"))), 2);
  rmSync(join(folder, "hold-update"));
  assert.equal(Number(await first), 1);
  await assertAllHave(client, 2);
  // One more is born with what was published last, which is the first one.
  await endOneWorker(scannerClient(t, server.port, false));
  await untilReplaced(server);
  await assertAllHave(client, 2);
});
