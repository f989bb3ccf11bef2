/** What becomes of calls that outlast their time: in a stop, and by their own deadline. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { script, scriptedServer, startedIn, textOf } from "../oracle/scripted.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";

/** A server with one worker for each call, so that cutting one disturbs no other. */
async function serverWithCalls(
  t: TestContext,
  args: readonly string[],
  scripts: readonly string[],
): Promise<{ server: Awaited<ReturnType<typeof scriptedServer>>; clients: RawClient[]; seqids: number[] }> {
  const server = await scriptedServer(t, ["--workers", String(scripts.length), ...args]);
  const clients: RawClient[] = [];
  const seqids: number[] = [];
  for (const text of scripts) {
    const client = await connectRaw(t, { connect: { port: server.port } });
    clients.push(client);
    seqids.push(client.send("echo", script(text)));
    await startedIn(server.journal, text.split(" ")[0]!);
  }
  return { server, clients, seqids };
}

test("with no callGrace of its own a call for ever is cut at grace − reserve, with an exception", async (t) => {
  const { server, clients, seqids } = await serverWithCalls(
    t,
    ["--grace", "1s", "--reserve", "500ms"],
    ["loop spin -1", "async sleep 60000"],
  );
  const sentMs = server.signal();
  for (const [at, client] of clients.entries()) {
    const reply = await client.reply(seqids[at]!);
    assert.equal(reply.type, MessageType.EXCEPTION);
    assert.match(textOf(reply), /unknown whether the call took effect/);
    assert.equal(await client.ended, "fin");
  }
  const { code, last, atMs } = await server.ended;
  assert.equal(code, 3);
  assert.equal(last["cut"], 2);
  assert.equal((last["cutCalls"] as { seqid: number }[]).length, 2);
  assert.ok(atMs - sentMs < 1000, `${atMs - sentMs} ms`);
  assertExact(last);
});
