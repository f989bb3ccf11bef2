/** A call never starts before an earlier oneway of its connection has started. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { script, scriptedServer, startedIn, startsOf } from "../oracle/scripted.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";

/** Asserts that the calls of a connection whose ids begin with `prefix` started in the order 0, 1, 2, … */
function assertInOrder(journal: string, prefix: string, count: number): void {
  const started = startsOf(journal).flatMap(({ id }) => (id.startsWith(prefix) ? [id] : []));
  const expected = Array.from({ length: count }, (_, at) => `${prefix}${at}`);
  assert.deepEqual(started, expected);
}

for (const type of [MessageType.ONEWAY, MessageType.CALL]) {
  test(`oneways of several reads start one after the other while workers stand (type ${type})`, async (t) => {
    const server = await scriptedServer(t, ["--workers", "3"]);
    const clients: RawClient[] = [];
    for (let at = 0; at < 3; at++) clients.push(await connectRaw(t, { connect: { port: server.port } }));
    const [noise, first, second] = clients as [RawClient, RawClient, RawClient];
    const count = 60;
    for (let at = 0; at < count; at++) {
      // Loops of 15 ms make workers stand, so that what lies behind them is taken back again and again.
      if (at % 6 === 0)
        for (let loop = 0; loop < 2; loop++) noise.send("echo", script(`noise${at}${loop} spin 15`));
      first.send("note", script(`a${at} spin 1`), type);
      second.send("note", script(`b${at}`), type);
      // Each goes in a read of its own.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    server.signal();
    const { last } = await server.ended;
    assert.equal(last["oneway"], 2 * count);
    assertInOrder(server.journal, "a", count);
    assertInOrder(server.journal, "b", count);
  });
}

test("calls behind a oneway on a standing worker are taken back with it, and follow it", async (t) => {
  const server = await scriptedServer(t, ["--workers", "2"]);
  const busy = await connectRaw(t, { connect: { port: server.port } });
  const client = await connectRaw(t, { connect: { port: server.port } });
  // Both workers stand; the second is free first.
  busy.send("echo", script("long spin 1200"));
  await startedIn(server.journal, "long");
  busy.send("echo", script("short spin 400"));
  await startedIn(server.journal, "short");
  client.send("note", script("c0"), MessageType.ONEWAY);
  client.send("note", script("c1"), MessageType.ONEWAY);
  await client.call("echo", script("c2"));
  assertInOrder(server.journal, "c", 3);
  server.signal();
  await server.ended;
});
