/** Spans of OpenTelemetry, from a real SDK in the workers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { SpanLine } from "../fixtures/traced.ts";
import { encodeCall, MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";

interface Traced {
  readonly server: ServerProcess;
  spans(): SpanLine[];
}

async function startTraced(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Traced> {
  const file = join(temporaryFolder(t), "spans");
  const server = await startServer(t, { modules: [fixture("traced")], env: { TRACE_FILE: file, ...env } });
  const spans = (): SpanLine[] =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as SpanLine);
  return { server, spans };
}

/** One call by HTTP POST. */
function post(server: ServerProcess, body: Buffer, headers: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ port: server.port, method: "POST", headers, agent: false }, (response) => {
      response.resume().on("end", resolve);
    });
    asking.on("error", reject).end(body);
  });
}

test("a call is a span whose parent came with its headers, and its handler's spans are children", async (t) => {
  const { server, spans } = await startTraced(t);
  const headers = {
    "content-type": "application/x-thrift",
    traceparent: `00-${traceId}-${parentId}-01`,
  };
  await post(server, encodeCall("echo", 7, { 1: { string: "x" } }), headers);
  server.signal();
  assertExact((await server.ended).last);
  const [inner, call] = spans();
  assert.deepEqual(
    [call!.name, call!.kind, call!.traceId, call!.parentSpanId],
    ["Probe/echo", 1, traceId, parentId],
  );
  const { "client.port": port, ...attributes } = call!.attributes;
  assert.ok(Number(port) > 0);
  assert.deepEqual(attributes, {
    "rpc.system.name": "thrift",
    "rpc.method": "Probe/echo",
    "sluice.seqid": 7,
    "client.address": "127.0.0.1",
    "network.transport": "tcp",
  });
  assert.deepEqual([inner!.name, inner!.traceId], ["inner", traceId]);
});

test("failures are told apart from declared exceptions, and calls without headers begin a trace", async (t) => {
  const { server, spans } = await startTraced(t);
  const client = await connectRaw(t, { connect: { port: server.port } });
  for (const how of ["error", "declared", "rejected-declared"]) {
    await client.reply(client.send("fail", { 1: { string: how } }));
  }
  assert.equal(
    (await client.reply(client.send("add", { 1: { i32: 1 }, 2: { i32: 2 } }))).type,
    MessageType.REPLY,
  );
  server.signal();
  await server.ended;
  const told = spans().map(({ name, status, attributes, events, parentSpanId }) => [
    name,
    status.code,
    attributes["error.type"],
    events.length,
    parentSpanId,
  ]);
  assert.deepEqual(told, [
    ["Probe/fail", 2, "Error", 1, undefined],
    ["Probe/fail", 0, "Declared", 0, undefined],
    ["Probe/fail", 0, "Declared", 0, undefined],
    ["Probe/add", 0, undefined, 0, undefined],
  ]);
});

test("a drain flushes the spans that the SDK still keeps", async (t) => {
  const { server, spans } = await startTraced(t, { TRACE_BATCH: "1" });
  const client = await connectRaw(t, { connect: { port: server.port } });
  for (let call = 0; call < 50; call++) client.send("add", { 1: { i32: call }, 2: { i32: 2 } });
  await client.reply(50);
  server.signal();
  const { code } = await server.ended;
  assert.equal(code, 0);
  assert.equal(spans().length, 50);
});
