/** Handlers that misbehave in every way at once, under load. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, startServer } from "../support/server-process.ts";
import { Victim } from "./victim.ts";

/** What a caller sees of a call. */
type Seen = "reply" | "failed" | "expired" | "cut";

const ways: Readonly<Record<string, Seen>> = {
  declared: "reply",
  "rejected-declared": "reply",
  error: "failed",
  rejected: "failed",
  null: "failed",
  undefined: "failed",
  string: "failed",
  symbol: "failed",
  frozen: "failed",
  poison: "failed",
  "rejected-poison": "failed",
  "poison-as-result": "failed",
  "message-that-throws": "failed",
  "code-that-throws": "failed",
  "message-that-is-no-text": "failed",
  "unhandled-poison": "reply",
  nothing: "failed",
  "wrong-type": "failed",
  unencodable: "failed",
  cyclic: "failed",
  bigint: "failed",
  list: "failed",
  function: "failed",
  "settles-twice": "reply",
  "then-throws": "failed",
  "then-that-can't-be-read": "failed",
  "half-a-surrogate": "reply",
  unhandled: "reply",
  never: "expired",
  exit: "cut",
  uncaught: "cut",
};

/** What ends a worker is done once in a while, the rest all the time. */
const deadly = ["exit", "uncaught"];
const loadMs = 6_000;

test("each way to misbehave is one reply and one line of the log, and nobody else is affected", async (t) => {
  const server = await startServer(t, {
    modules: [fixture("misbehaving")],
    args: ["--workers", "5", "--log-level", "warn", "--grace", "3s", "--reserve", "1s"],
  });
  const victim = await Victim.start(t, server.port);
  const clients: RawClient[] = [];
  for (let at = 0; at < 6; at++) clients.push(await connectRaw(t, { connect: { port: server.port } }));
  const seen: Record<string, Partial<Record<string, number>>> = {};
  const misbehave = async (client: RawClient, how: string): Promise<void> => {
    const what = describe(await client.call("fail", { 1: { string: how } }));
    seen[how] ??= {};
    seen[how][what] = (seen[how][what] ?? 0) + 1;
  };

  // One worker stands for ever; its caller is told in time.
  const blocking = await connectRaw(t, { connect: { port: server.port } });
  const blocked = blocking.call("spin", { 1: { i32: -1 } });

  const untilMs = performance.now() + loadMs;
  const harmless = Object.keys(ways).filter((how) => !deadly.includes(how));
  const loads = clients.map(async (client, at) => {
    for (let turn = at; performance.now() < untilMs; turn++) {
      await misbehave(client, harmless[turn % harmless.length]!);
      client.send("note", { 1: { string: turn % 2 === 0 ? "throw" : "reject" } }, MessageType.ONEWAY);
    }
  });
  const killer = await connectRaw(t, { connect: { port: server.port } });
  for (let turn = 0; performance.now() < untilMs; turn++) {
    await misbehave(killer, deadly[turn % deadly.length]!);
    await sleep(400);
  }
  await Promise.all(loads);
  assert.equal(describe(await blocked), "expired");

  await t.test("each was answered as it should, or cut when its worker died", () => {
    for (const [how, expected] of Object.entries(ways)) {
      const { [expected]: right = 0, cut = 0, ...wrong } = { cut: 0, ...seen[how] };
      assert.deepEqual(wrong, {}, how);
      assert.ok(right > 0, `${how}: ${JSON.stringify(seen[how])}, ${cut} were cut`);
    }
  });

  await victim.window();
  await victim.stop();
  const { errors, ...window } = victim.whole;
  t.diagnostic(`victim: ${JSON.stringify(window)}, cut: ${errors.length}`);
  for (const error of errors) assert.match(error, /the worker that ran the call ended/);
  assert.ok(errors.length <= 5, `${errors.length} calls of the victim were cut`);

  // The worker that stood for ever was ended, and all are there again.
  await server.line("a worker did not come back from a call whose deadline passed; it is ended");
  await untilStatus(server, ({ lanes }) => lanes.every(({ state }) => state === "ready"));

  const { calls } = await untilStatus(server, (status) => status.calls.owed === 0);
  t.diagnostic(JSON.stringify(calls));
  const count = (msg: string): number => server.lines.filter((line) => line["msg"] === msg).length;
  await untilLogged(() => count("a call failed") >= calls.failed);
  assert.equal(count("a call failed"), calls.failed, "one line for each call that failed");
  const expired = 1 + (seen["never"]?.["expired"] ?? 0);
  assert.equal(count("a call's deadline has passed while its handler ran"), expired);
  assert.ok(count("a promise was rejected and nobody handled it") > 0);
  assert.ok(count("a worker ended and is replaced") >= 4);

  server.signal();
  const { last } = await server.ended;
  assertExact(last);
});

function describe({ type, body }: { type: number; body: Readonly<Record<number, unknown>> }): string {
  if (type === 2) return "reply";
  const text = String(body[1]);
  if (/deadline has passed; unknown/.test(text)) return "expired";
  if (/worker that ran the call ended/.test(text)) return "cut";
  return text === "internal error" ? "failed" : text;
}

async function untilLogged(fits: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !fits(); tries++) await sleep(20);
}
