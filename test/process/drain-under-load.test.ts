import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { statusOf, untilStatus } from "../support/admin.ts";
import { inTime } from "../support/attempts.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, startServer, temporaryFolder } from "../support/server-process.ts";

const quietMs = 100;
const stopMs = 150;

/** Calls on each of the ten connections, in ms: the longest outlast `busyClose`, which is 1 s. */
const sleepsMs: readonly number[] = [500, 1000, 1400];
const noteAfterMs = 900;
const pauseMs = 10;

/** A client that has slow calls in flight and may go on sending until the server's FIN. */
class Caller {
  readonly client: RawClient;
  readonly slow: number[] = [];
  readonly noteId: string;
  sent = 0;

  constructor(client: RawClient, noteId: string) {
    this.client = client;
    this.noteId = noteId;
    for (const ms of sleepsMs) this.slow.push(this.#send("sleep", { 1: { i32: ms } }));
    this.#send("slowNote", { 1: { string: noteId }, 2: { i32: noteAfterMs } }, MessageType.ONEWAY);
    void client.ended.then(() => client.end());
  }

  /** Sends until the server says that it has read all it will. */
  goOn(): void {
    const timer = setInterval(() => this.#send("echo", { 1: { string: "still there" } }), pauseMs);
    void this.client.ended.then(() => clearInterval(timer));
  }

  #send(...call: Parameters<RawClient["send"]>): number {
    this.sent++;
    return this.client.send(...call);
  }
}

for (const framed of [true, false]) {
  const form = framed ? "framed" : "unframed";
  test(`SIGTERM with 40 slow calls in flight answers every call that was received, ${form}`, async (t) => {
    await inTime(t, async () => {
      const { lastReplyMs, exitMs } = await drainUnderLoad(t, framed);
      const measured = `last slow reply after ${Math.round(lastReplyMs)} ms, exit after ${Math.round(exitMs)} ms`;
      if (exitMs > lastReplyMs + quietMs + stopMs) return measured;
      t.diagnostic(measured);
      return undefined;
    });
  });
}

/** Does it once, asserts that nothing is lost, and tells when, from SIGTERM on, the last slow reply and the exit came. */
async function drainUnderLoad(
  t: TestContext,
  framed: boolean,
): Promise<{ readonly lastReplyMs: number; readonly exitMs: number }> {
  const journal = join(temporaryFolder(t), "journal");
  const server = await startServer(t, { modules: [fixture("probe")], env: { PROBE_JOURNAL: journal } });
  const clients = await Promise.all(
    Array.from({ length: 10 }, () => connectRaw(t, { framed, connect: { port: server.port } })),
  );
  const callers = clients.map((client, index) => new Caller(client, `slow-${index}`));
  await untilStatus(server, ({ calls }) => calls.running === 40);

  const signalledAtMs = server.signal();
  for (const caller of callers.slice(3)) caller.goOn();
  await server.line("draining");
  assert.equal((await statusOf(server)).ready, false);
  const slow = await Promise.all(
    callers.flatMap(({ client, slow }) => slow.map((seqid) => client.reply(seqid))),
  );
  const { code, last, atMs } = await server.ended;

  assert.equal(code, 0, JSON.stringify(last));
  assert.equal(last["outcome"], "clean");
  assertExact(last);
  for (const { type, body } of slow) {
    assert.equal(type, MessageType.REPLY);
    assert.ok(sleepsMs.includes(Number(body[0])));
  }
  for (const { client } of callers) assert.equal(await client.ended, "fin", "no connection is reset");
  assertAnswered(callers, last);
  const noted = readFileSync(journal, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("note "));
  assert.deepEqual(noted.sort(), callers.map(({ noteId }) => `note ${noteId}`).sort(), "each ran, once");
  const lastReplyMs = Math.max(...slow.map((reply) => reply.atMs)) - signalledAtMs;
  return { lastReplyMs, exitMs: atMs - signalledAtMs };
}

/** What the server counts and what its clients got must be the same. */
function assertAnswered(callers: readonly Caller[], last: Readonly<Record<string, unknown>>): void {
  const replies = callers.flatMap(({ client }) => client.replies);
  const refused = replies.filter(({ type }) => type === MessageType.EXCEPTION);
  assert.equal(last["completed"], replies.length - refused.length);
  assert.equal(last["rejected"], refused.length);
  assert.equal(last["oneway"], callers.length);
  assert.deepEqual([last["failed"], last["expired"], last["orphaned"], last["cut"]], [0, 0, 0, 0]);
  for (const { body } of refused) assert.match(String(body[1]), /draining; not started/);
  const sent = callers.reduce((sum, caller) => sum + caller.sent, 0);
  const received = last["received"] as number;
  assert.ok(
    received > 40 && received <= sent,
    `received ${received} of ${sent}, 40 of them before the signal`,
  );
  for (const { client } of callers) {
    const seqids = client.replies.map(({ seqid }) => seqid);
    assert.deepEqual(
      seqids,
      seqids.toSorted((a, b) => a - b),
      "in request order, none twice",
    );
    assert.equal(new Set(seqids).size, seqids.length);
  }
}
