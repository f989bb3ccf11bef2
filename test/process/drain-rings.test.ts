/** What travels through the rings stays whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { fixture, startServer } from "../support/server-process.ts";

const modules: readonly string[] = [fixture("probe")];

test("calls behind a long one keep their arguments while a mebibyte passes by on the same lane", async (t) => {
  const server = await startServer(t, { modules, args: ["--workers", "1"] });
  const client = await connectRaw(t, { connect: { port: server.port } });
  const other = await connectRaw(t, { connect: { port: server.port } });
  const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(2000));
  // One write, so that the messages enter the ring as one piece.
  client.write(
    Buffer.concat([
      client.encode("add", 1, { 1: { i32: 1 }, 2: { i32: 2 } }),
      client.encode("spin", 2, { 1: { i32: 500 } }),
      ...texts.map((text, index) => client.encode("echo", 3 + index, { 1: { string: text } })),
    ]),
  );
  await client.reply(1);
  const filler = "x".repeat(3000);
  other.write(
    Buffer.concat(
      Array.from({ length: 700 }, (_, index) => other.encode("echo", index + 1, { 1: { string: filler } })),
    ),
  );
  for (const [index, text] of texts.entries()) assert.equal(await echoed(client, 3 + index), text);
  for (let seqid = 1; seqid <= 700; seqid++) assert.equal(await echoed(other, seqid), filler);
});

test("replies that travel by transfer come whole while others wake the main thread", async (t) => {
  const server = await startServer(t, { modules });
  const clients = await Promise.all([1, 2, 3].map(() => connectRaw(t, { connect: { port: server.port } })));
  const data = Buffer.alloc(400_000, "b");
  for (let round = 0; round < 15; round++) {
    const [large, ...small] = clients as [RawClient, ...RawClient[]];
    const seqids = [large.send("blob", { 1: { string: data } }), large.send("blob", { 1: { string: data } })];
    const others = small.map((client) => [1, 2, 3].map(() => client.send("spin", { 1: { i32: 1 } })));
    for (const seqid of seqids) assert.ok(data.equals((await large.reply(seqid)).body[0] as Buffer));
    for (const [at, client] of small.entries()) for (const seqid of others[at]!) await client.reply(seqid);
  }
  server.signal();
  assert.equal((await server.ended).code, 0);
});

async function echoed(client: RawClient, seqid: number): Promise<string> {
  return (await client.reply(seqid)).body[0]!.toString();
}
