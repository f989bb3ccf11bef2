import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ask, untilStatus } from "../support/admin.ts";
import { inTime } from "../support/attempts.ts";
import { MessageType } from "../support/binary.ts";
import { postArguments, resultOf, trackArguments } from "../support/ledger-calls.ts";
import { connectRaw, type RawClient, type Reply } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

const graceMs = 2500;
const reserveMs = 1500;
const args: readonly string[] = ["--grace", `${graceMs}ms`, "--reserve", `${reserveMs}ms`];
const looks = 20;
const medianMs = 50;
const longestMs = 250;

/** The ledger, which every client reaches, and the probe beside it, which gets its workers stuck. */
function serveBoth(t: TestContext, store: string): Promise<ServerProcess> {
  return startServer(t, { modules: ["ledger", fixture("probe")], args: [...args, "--store", store] });
}

const ways = [
  { stuck: "in an endless loop", method: "Probe:spin", how: -1, native: false },
  { stuck: "in native code (pbkdf2Sync)", method: "Probe:nativeBlock", how: -1, native: true },
  { stuck: "in native code (execSync)", method: "Probe:nativeBlock", how: -2, native: true },
] as const;

for (const { stuck, method, how, native } of ways) {
  test(`with every worker ${stuck}, health checks answer, and a stop flushes and exits with 3`, async (t) => {
    const store = `sqlite:${join(temporaryFolder(t), "ledger.db")}`;
    const server = await serveBoth(t, store);
    const client = await connectRaw(t, { connect: { port: server.port } });
    await resultOf(client, "post", postArguments({ id: "e", debit: "cash", credit: "rent", amount: 7 }));
    for (let i = 0; i < 5; i++) client.send("track", trackArguments("seen", 2), MessageType.ONEWAY);
    // Answered behind the oneway calls: they have run.
    await resultOf(client, "balance", { 1: { string: "rent" } });

    const callers = await Promise.all([1, 2].map(() => connectRaw(t, { connect: { port: server.port } })));
    const owed = callers.map((caller) => caller.send(method, { 1: { i32: how } }));
    await untilStatus(server, ({ calls }) => calls.running === 2);
    const queued = client.send("Probe:add", { 1: { i32: 1 }, 2: { i32: 2 } });
    await untilStatus(server, ({ calls }) => calls.owed === 3);

    await assertPrompt(t, server);

    const signalledAtMs = server.signal();
    const answers = await Promise.all(callers.map((caller, index) => caller.reply(owed[index]!)));
    for (const answer of answers)
      assertException(answer, /grace period is over|worker that ran the call ended/);
    assertException(await client.reply(queued), /not started/);
    const { code, signal, last, atMs } = await server.ended;
    t.diagnostic(`exit ${Math.round(atMs - signalledAtMs)} ms after SIGTERM`);
    assert.deepEqual([code, signal], [3, null], JSON.stringify(last));
    assertExact(last);
    assert.deepEqual([last["outcome"], last["cut"], last["rejected"], last["oneway"]], ["cut", 2, 1, 5]);
    if (native) assert.equal(last["unterminatedThreads"], 2);
    assert.deepEqual(last["failures"], []);
    const cutCalls = last["cutCalls"] as readonly Record<string, unknown>[];
    assert.deepEqual(
      cutCalls.map((call) => [call["method"], call["seqid"]]),
      [
        [method.replace(":", "."), 1],
        [method.replace(":", "."), 1],
      ],
    );
    assert.ok(
      atMs - signalledAtMs <= graceMs,
      `within the grace period: ${Math.round(atMs - signalledAtMs)} ms`,
    );

    await assertKept(t, store);
  });
}

/** Each way to ask how the server is answers in time, on connections of its own and on an open one. */
async function assertPrompt(t: TestContext, server: ServerProcess): Promise<void> {
  const fb303 = await connectRaw(t, { connect: { port: server.port } });
  const ways: Record<string, () => Promise<number>> = {
    "/livez": () => timedAsk(server, "/livez", [200]),
    "/readyz": () => timedAsk(server, "/readyz", [200, 503]),
    "/metrics": () => timedAsk(server, "/metrics", [200]),
    getStatus: () => timedCall(fb303, "getStatus"),
    "fb303:getStatus": () => timedCall(fb303, "fb303:getStatus"),
  };
  // The first request in this process loads the HTTP client.
  await ask(server, "/livez");
  for (const [name, once] of Object.entries(ways)) {
    await inTime(t, async () => {
      const tookMs: number[] = [];
      for (let i = 0; i < looks; i++) tookMs.push(await once());
      tookMs.sort((a, b) => a - b);
      const median = tookMs[looks / 2]!;
      const longest = tookMs.at(-1)!;
      const measured = `${name}: median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`;
      if (median > medianMs || longest > longestMs) return measured;
      t.diagnostic(measured);
      return undefined;
    });
  }
}

async function timedAsk(server: ServerProcess, path: string, statuses: readonly number[]): Promise<number> {
  const { status, text, tookMs } = await ask(server, path);
  assert.ok(statuses.includes(status), `${path}: ${status} ${text}`);
  return tookMs;
}

async function timedCall(client: RawClient, method: string): Promise<number> {
  const fromMs = performance.now();
  const { type, atMs } = await client.call(method);
  assert.equal(type, MessageType.REPLY);
  return atMs - fromMs;
}

function assertException({ type, body }: Reply, text: RegExp): void {
  assert.equal(type, MessageType.EXCEPTION);
  assert.match(String(body[1]), text);
  assert.equal(body[2], 6, "INTERNAL_ERROR");
}

/** What was acknowledged or taken before the stop is there after it. */
async function assertKept(t: TestContext, store: string): Promise<void> {
  const server = await startServer(t, { args: ["--store", store] });
  const client = await connectRaw(t, { connect: { port: server.port } });
  assert.equal(await resultOf(client, "balance", { 1: { string: "rent" } }), 7n);
  assert.deepEqual(await resultOf(client, "counters"), new Map([["seen", 10n]]));
  client.end();
  server.signal();
  assert.equal((await server.ended).code, 0);
}
