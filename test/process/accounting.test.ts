/** Every view of a server counts the same calls: looked at again and again through a loaded drain. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import type { EventDocument } from "../../src/admin/status.ts";
import type { CallTotals } from "../../src/calls/call-ledger.ts";
import { outcomes } from "../../src/calls/outcome.ts";
import { ask, untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type ServerProcess, startServer } from "../support/server-process.ts";
import { parseExposition, sampleValue } from "../unit/admin/exposition.ts";

/** One look at the counters, from wherever. */
interface Sample {
  readonly from: "/metrics" | "/statusz" | "/events";
  readonly received: number;
  readonly settled: number;
  readonly owed: number;
}

function sampleOf(from: Sample["from"], counts: Readonly<Record<string, number>>): Sample {
  const settled = outcomes.reduce((sum, outcome) => sum + counts[outcome]!, 0);
  return { from, received: counts["received"]!, settled, owed: counts["owed"]! };
}

function sampleOfMetrics(text: string): Sample {
  const families = parseExposition(text);
  const counts: Record<string, number> = {
    received: sampleValue(families, "sluice_calls_received_total"),
    owed: sampleValue(families, "sluice_calls_owed"),
  };
  for (const outcome of outcomes) counts[outcome] = sampleValue(families, "sluice_calls_total", { outcome });
  // The same by method, as other servers count.
  const byMethod = families.get("thrift_server_requests_total")?.samples ?? [];
  const settled = byMethod.reduce((sum, { value }) => sum + value, 0);
  assert.equal(
    settled,
    outcomes.reduce((sum, outcome) => sum + counts[outcome]!, 0),
    "by method, and in all",
  );
  return sampleOf("/metrics", counts);
}

/** Follows the events until the stream's end. */
function follow(
  t: TestContext,
  server: ServerProcess,
  take: (event: EventDocument, last: boolean) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request(`${server.adminUrl}/events`, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        const parts = (text + chunk).split("\n\n");
        text = parts.pop()!;
        for (const part of parts) {
          const data = /^data: (.*)$/m.exec(part)?.[1];
          if (data !== undefined) take(JSON.parse(data) as EventDocument, part.startsWith("event: last"));
        }
      });
      response.on("end", resolve).on("error", reject);
    });
    t.after(() => asking.destroy());
    asking.on("error", reject).end();
  });
}

/** Calls of every kind, in and out of order, that end in as many ways as there are. */
async function load(t: TestContext, server: ServerProcess): Promise<void> {
  for (let count = 0; count < 6; count++) {
    const client = await connectRaw(t, { connect: { port: server.port } });
    let turn = 0;
    const timer = setInterval(() => {
      turn++;
      for (let call = 0; call < 20; call++) client.send("echo", { 1: { string: "x" } });
      client.send("note", { 1: { string: "x" } }, MessageType.ONEWAY);
      client.send("fail", { 1: { string: "error" } });
      client.send("nobody", {});
      client.send("getName", {});
      if (turn % 20 === 0) client.send("sleep", { 1: { i32: 100 } });
      // One of them leaves in the middle of its calls.
      if (count === 0 && turn === 40) client.socket.destroy();
    }, 5);
    t.after(() => clearInterval(timer));
    void client.ended.then(() => {
      clearInterval(timer);
      client.end();
    });
  }
  const stuck = await connectRaw(t, { connect: { port: server.port } });
  stuck.send("sleep", { 1: { i32: 60_000 } });
  void stuck.ended.then(() => stuck.end());
}

test("the outcomes add up to what was received in every look at a loaded drain, wherever one looks", async (t) => {
  const server = await startServer(t, {
    modules: [fixture("probe")],
    args: ["--grace", "4s", "--reserve", "1s", "--lame-duck", "500ms"],
  });
  const samples: Sample[] = [];
  let last: CallTotals | undefined;
  const followed = follow(t, server, (event, isLast) => {
    samples.push(sampleOf("/events", event.calls as unknown as Record<string, number>));
    if (isLast) last = event.lastReport as CallTotals;
  });
  let over = false;
  void followed.finally(() => {
    over = true;
  });
  await load(t, server);
  await untilStatus(server, ({ calls }) => calls.received > 2_000);
  server.signal();
  while (!over) {
    try {
      samples.push(sampleOfMetrics((await ask(server, "/metrics")).text));
      const { calls } = JSON.parse((await ask(server, "/statusz")).text);
      samples.push(sampleOf("/statusz", calls));
    } catch (error) {
      // The admin port closes before the process ends.
      if (error instanceof assert.AssertionError) throw error;
    }
  }
  await followed;
  const ended = await server.ended;

  for (const { from, received, settled, owed } of samples) assert.equal(received, settled + owed, from);
  for (const from of ["/metrics", "/statusz", "/events"] as const) {
    const counts = samples.filter((sample) => sample.from === from).map(({ received }) => received);
    assert.ok(counts.length >= 4, `${counts.length} looks at ${from}`);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `${from} never counts back`,
    );
  }
  assertExact(ended.last);
  for (const key of ["received", ...outcomes] as const) assert.equal(last?.[key], ended.last[key], key);
  assert.equal(ended.last["cut"], 1);
  assert.ok(samples.some(({ owed }) => owed > 0));
  t.diagnostic(`${samples.length} looks; ${ended.last["received"]} calls received`);
});
