/** What the log of a server says. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type LogLine, startServer, temporaryFolder } from "../support/server-process.ts";

const modules = [fixture("probe")];
const called = (lines: readonly LogLine[], msg: string): LogLine[] =>
  lines.filter((line) => line["msg"] === msg);

test("each event of a life has its line, in order", async (t) => {
  const server = await startServer(t, { modules, args: ["--lame-duck", "50ms"] });
  server.signal();
  const { lines, last } = await server.ended;
  const events = ["starting", "listening", "draining", "lame-duck", "flushing", "closing", "stopped"];
  assert.deepEqual(
    lines.map(({ msg }) => msg).filter((msg) => events.includes(msg as string)),
    events,
  );
  assert.deepEqual(last["waitedFor"], []);
});

test("a handler of callback style has a line at the start, from one worker", async (t) => {
  const folder = temporaryFolder(t);
  const module = join(folder, "callbacks.mjs");
  writeFileSync(
    module,
    `import { defineService } from "thrift-sluice";
import Second from ${JSON.stringify(new URL("../gen/Second.js", import.meta.url).href)};
const done = (text, result) => result(null, text);
export default defineService({
  name: "Second",
  service: Second,
  handler: () => new Proxy({}, { get: (_, name) => (name === "then" ? undefined : done) }),
});
`,
  );
  const server = await startServer(t, { modules: [module], args: ["--workers", "3"] });
  const lines = called(
    server.lines,
    "handlers are given no callback: they return the result, or a promise of it",
  );
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]!["methods"]), /^which declares 2, the IDL gives 0$/);
});

test("refused connections have ten lines per kind, however many come", async (t) => {
  const server = await startServer(t, { modules, args: ["--max-connections", "3"] });
  const send = async (bytes: string): Promise<void> => {
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(bytes, "latin1");
    socket.resume();
    await once(socket, "close");
  };
  for (let count = 0; count < 15; count++) await send("\x16\x03\x01\x00\x05hello");
  for (let count = 0; count < 15; count++) await send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const held = await Promise.all([1, 2, 3].map(() => connectRaw(t, { connect: { port: server.port } })));
  for (const client of held) await client.reply(client.send("add", { 1: { i32: 1 }, 2: { i32: 1 } }));
  for (let count = 0; count < 15; count++) await send("");
  server.signal();
  for (const client of held) void client.ended.then(() => client.end());
  const { lines, last } = await server.ended;
  const kinds = lines.filter(({ level }) => level === "warn").map(({ kind }) => kind);
  const ten = (kind: string): string[] => new Array<string>(10).fill(kind);
  assert.deepEqual(kinds, [...ten("tls-not-configured"), ...ten("http2"), ...ten("max-connections")]);
  assert.equal(last["malformed"], 30);
});

test("the access log has a line for every call, with the number that a failed call's line has too", async (t) => {
  const server = await startServer(t, { modules, args: ["--access-log"] });
  const client = await connectRaw(t, { connect: { port: server.port } });
  await client.reply(client.send("add", { 1: { i32: 1 }, 2: { i32: 1 } }));
  await client.reply(client.send("fail", { 1: { string: "error" } }));
  await client.reply(client.send("nobody\nforged"));
  client.send("note", { 1: { string: "x" } }, MessageType.ONEWAY);
  await client.reply(client.send("add", { 1: { i32: 1 }, 2: { i32: 1 } }));
  server.signal();
  const { lines, last } = await server.ended;
  assertExact(last);
  const calls = called(lines, "call");
  assert.deepEqual(
    calls.map(({ method, outcome, seqid }) => [method, outcome, seqid]),
    [
      ["Probe.add", "completed", 1],
      ["Probe.fail", "failed", 2],
      ["unknown", "rejected", 3],
      ["Probe.note", "oneway", 4],
      ["Probe.add", "completed", 5],
    ],
  );
  assert.ok(calls.every(({ ms, peer }) => (ms as number) >= 0 && /^127\.0\.0\.1:\d+$/.test(peer as string)));
  const [failed] = called(lines, "a call failed");
  assert.equal(failed!["call"], calls[1]!["call"]);
});

test("without it no call has a line", async (t) => {
  const server = await startServer(t, { modules });
  const client = await connectRaw(t, { connect: { port: server.port } });
  await client.reply(client.send("add", { 1: { i32: 1 }, 2: { i32: 1 } }));
  server.signal();
  assert.deepEqual(called((await server.ended).lines, "call"), []);
});

test("the lines of the contract reach a reader that stood still until after the stop", async (t) => {
  const server = await startServer(t, { modules, args: ["--access-log"] });
  server.child.stdout!.pause();
  const client = await connectRaw(t, { connect: { port: server.port } });
  const batch = Array.from({ length: 500 }, (_, at) =>
    client.encode("add", at, { 1: { i32: 1 }, 2: { i32: 1 } }),
  );
  // Far more than pipe and kernel take.
  for (let round = 1; round <= 20; round++) {
    client.write(Buffer.concat(batch));
    while (client.replies.length < round * batch.length) await once(client.socket, "data");
  }
  client.end();
  server.signal();
  // The admin port closes last.
  while (await isOpen(server.adminPort)) await sleep(10);
  await sleep(700);
  server.child.stdout!.resume();
  const { code, last, lines } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
  assert.equal(last["received"], 10_000);
  assert.ok((last["droppedLogLines"] as number) > 0, "the reader stood still");
  assert.equal(called(lines, "draining").length, 1);
});

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
