/** examples/counter: a clean stop keeps what was counted, and the count is exact. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Counter from "../../examples/counter/gen/Counter.js";
import { createClient } from "../../src/client/index.ts";
import { assertExact } from "../support/report.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

const modules = [fileURLToPath(new URL("../../examples/counter/counter.ts", import.meta.url))];

function startCounter(t: TestContext, folder: string): Promise<ServerProcess> {
  return startServer(t, { modules, env: { COUNTER_FILE: join(folder, "counts.json") } });
}

/** Counts until the server is gone. Returns how many hits were answered. */
async function hitUntilGone(
  server: ServerProcess,
  signal: NodeJS.Signals,
): Promise<{ answered: number; highest: number }> {
  const client = createClient(Counter, { endpoints: `127.0.0.1:${server.port}`, transport: "header" });
  let answered = 0;
  let highest = 0;
  const hit = async (): Promise<void> => {
    for (;;) {
      const count = Number(await client.hit("door"));
      answered++;
      highest = Math.max(highest, count);
    }
  };
  const hitters = Array.from({ length: 16 }, hit);
  while (answered < 500) await Promise.race([...hitters, sleep(1)]);
  server.signal(signal);
  await Promise.all([server.ended, client.close({ timeoutMs: 1000 })]);
  await Promise.allSettled(hitters);
  return { answered, highest };
}

test("a clean stop under load keeps every hit that was answered, and no other", async (t) => {
  const folder = temporaryFolder(t);
  let before = 0;
  for (let round = 0; round < 2; round++) {
    const server = await startCounter(t, folder);
    const { answered, highest } = await hitUntilGone(server, "SIGTERM");
    const { code, last } = await server.ended;
    assert.equal(code, 0, JSON.stringify(last));
    assertExact(last);
    assert.equal(last["completed"], answered);
    before += answered;
    assert.equal(highest, before);
  }
  const killed = await startCounter(t, folder);
  await hitUntilGone(killed, "SIGKILL");
  const server = await startCounter(t, folder);
  const client = createClient(Counter, { endpoints: `127.0.0.1:${server.port}` });
  t.after(() => client.close());
  assert.equal(Number(await client.count("door")), before, "a kill loses what was counted since the start");
  assert.equal(Number(await client.count("window")), 0);
});

test("counts that can't be written are told of", async (t) => {
  const server = await startCounter(t, join(temporaryFolder(t), "missing"));
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 4);
  assert.match(JSON.stringify(last["failures"]), /Counter\.counts.*ENOENT/);
});
