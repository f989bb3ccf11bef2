/** Servers that do what no server should, and what networks do to connections. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Registry } from "prom-client";
import {
  ApplicationError,
  ArgumentsError,
  ClientOptionError,
  createClient,
  UnknownOutcomeError,
} from "thrift-sluice/client";
import Probe from "../../gen/Probe.js";
import { comesTrue } from "../../support/comes-true.ts";
import { clientOf, type ProbeClient, serveProbe } from "./client-rig.ts";
import { answerTo, exceptionTo, readCalls, serveRaw } from "./raw-server.ts";

function answerAll(socket: Socket): void {
  readCalls(socket, (call) => socket.write(answerTo(call)));
}

/** Calls until `over`, at most `most` times; calls may fail. Returns how many were made. */
async function callUntil(over: () => boolean, most: number, call: () => Promise<unknown>): Promise<number> {
  let made = 0;
  for (; made < most && !over(); made++) await call().catch(() => {});
  return made;
}

test("headers that can't be sent fail their call at once, and nothing else", async (t) => {
  const port = await serveProbe(t);
  const bad: [transport: "http" | "header", headers: Record<string, unknown>][] = [
    ["http", { "no token": "x" }],
    ["http", { good: "a\nb" }],
    ["header", { number: 5 }],
    ["header", { large: "x".repeat(300_000) }],
  ];
  for (const [transport, headers] of bad) {
    const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport });
    const other = client.add(1, 2);
    await assert.rejects(client.add(1, 2, { headers: headers as never }), (error) => {
      assert.ok(error instanceof ArgumentsError);
      assert.match(error.message, /the headers can't be sent/);
      return true;
    });
    assert.equal(await other, 3);
    assert.equal(client.stats().inFlight, 0);
  }
  const large = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport: "header" });
  assert.equal(await large.add(1, 2, { headers: { large: "x".repeat(50_000) } }), 3);
});

test("a oneway call that the kernel refuses is not taken for sent", async (t) => {
  let socket: Socket | undefined;
  const port = await serveRaw(t, (connected) => {
    socket = connected;
    answerAll(connected);
  });
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, connections: 1 });
  await client.add(1, 2);
  // It is written in this turn, before the reset can be read.
  socket!.resetAndDestroy();
  await assert.rejects(client.note("x"), UnknownOutcomeError);
});

test("a server's words count as a refusal only where a server of Sluice has them", async (t) => {
  let ran = 0;
  const port = await serveRaw(t, (socket) =>
    readCalls(socket, (call) => {
      ran++;
      socket.write(exceptionTo(call, "the order was booked, but the printer was not started"));
    }),
  );
  await assert.rejects(clientOf(t, { endpoints: `127.0.0.1:${port}` }).add(1, 2), ApplicationError);
  assert.equal(ran, 1);
});

for (const how of ["reads and never answers", "does not even read"] as const) {
  test(`connections whose other end ${how} are replaced, though their server is well`, async (t) => {
    const dead = new Set<Socket>();
    const all: Socket[] = [];
    const port = await serveRaw(t, (socket) => {
      all.push(socket);
      readCalls(socket, (call) => dead.has(socket) || socket.write(answerTo(call)));
    });
    const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, timeoutMs: 250, stallMs: 100 });
    await Promise.all(Array.from({ length: 8 }, () => client.add(1, 2, { timeoutMs: 5000 })));
    assert.equal(all.length, 2);
    for (const socket of all) {
      dead.add(socket);
      if (how === "does not even read") socket.pause();
    }
    // More than the kernel takes for a connection that nobody reads. The answer, a number, is none to it.
    const data = Buffer.alloc(how === "does not even read" ? 3_000_000 : 1);
    const answered = (): boolean => (client.stats().calls["application"] ?? 0) > 0;
    const made = await callUntil(answered, 15, () => client.blob(data));
    assert.ok(answered(), `none of ${made} calls was answered`);
    await comesTrue(() => client.stats().endpoints[0]!.connections <= 2, "the old connections' end");
  });
}

for (const transport of ["framed", "http"] as const) {
  test(`over ${transport} a silent server is noticed though no call waits as long as stallMs`, async (t) => {
    const mute = await serveRaw(t, (socket) => socket.resume());
    const endpoints = [`127.0.0.1:${mute}`, `127.0.0.1:${await serveProbe(t)}`];
    const client = clientOf(t, { endpoints, transport, timeoutMs: 40, stallMs: 100 });
    const silent = (): boolean => client.stats().away["silent"]! > 0;
    await callUntil(silent, 1000, () => client.add(1, 2));
    assert.ok(silent());
    assert.equal(await client.add(1, 2, { timeoutMs: 5000 }), 3);
  });
}

test("freezes leave no connections behind that are never used again", async (t) => {
  let frozen = false;
  const held: (() => void)[] = [];
  const port = await serveRaw(t, (socket) =>
    readCalls(socket, (call) => {
      const answer = (): void => void socket.write(answerTo(call));
      if (frozen) held.push(answer);
      else answer();
    }),
  );
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, connections: 3, stallMs: 50 });
  const { endpoints } = client.stats();
  assert.equal(endpoints.length, 1);
  for (let freezes = 1; freezes <= 3; freezes++) {
    await Promise.all(Array.from({ length: 6 }, () => client.add(1, 2)));
    frozen = true;
    const waits = client.add(1, 2);
    await comesTrue(() => client.stats().away["silent"] === freezes, "the freeze is noticed");
    frozen = false;
    for (const answer of held.splice(0)) answer();
    await waits;
    await comesTrue(() => client.stats().endpoints[0]!.well, "it is well again");
  }
  await comesTrue(() => client.stats().endpoints[0]!.connections <= 3, "connections beyond the third end");
});

test("an endpoint that is none any more is let go at once though its connection does not stand yet", async (t) => {
  let accepted: Socket | undefined;
  const silent = await serveRaw(t, (socket) => {
    accepted = socket.resume();
  });
  let asked = 0;
  const endpoints = (): string[] => [asked++ === 0 ? `localhost:${silent}` : "localhost:1"];
  const client = clientOf(t, { endpoints, tls: true, refreshMs: 50, connectTimeoutMs: 60_000 });
  const call = client.add(1, 2, { timeoutMs: 500 });
  await comesTrue(() => accepted !== undefined, "the connection");
  await once(accepted!, "end");
  assert.ok(client.stats().inFlight === 1, "the call waits for the new one");
  await assert.rejects(call);
});

/** A web server that has one answer to all calls. */
async function serveAnswer(t: TestContext, answer: string): Promise<string> {
  const port = await serveRaw(t, (socket) => socket.on("data", () => socket.write(answer)));
  return `127.0.0.1:${port}`;
}

function http(t: TestContext, endpoints: string): ProbeClient {
  return clientOf(t, { endpoints, transport: "http", timeoutMs: 2000 });
}

test("what web servers answer besides Thrift", async (t) => {
  const moved = http(
    t,
    await serveAnswer(t, "HTTP/1.1 307 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
  );
  await assert.rejects(moved.add(1, 2), (error) => {
    assert.ok(error instanceof ApplicationError, "every attempt would end so");
    assert.match(error.message, /HTTP status 307/);
    return true;
  });
  const accepted = http(t, await serveAnswer(t, "HTTP/1.1 204 No Content\r\n\r\n"));
  await accepted.note("oneway");
  await assert.rejects(accepted.add(1, 2), UnknownOutcomeError);
  const upgraded = http(
    t,
    await serveAnswer(t, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
  );
  await assert.rejects(upgraded.add(1, 2), (error) => {
    assert.ok(error instanceof UnknownOutcomeError);
    assert.match(String((error.cause as Error).message), /HTTP status 101/);
    return true;
  });
});

test("a proxy's 503 for a connection that broke behind it does not say that the call never ran", async (t) => {
  const answer = (reason: string): string => {
    const text = `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`;
    return `HTTP/1.1 503 Unavailable\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  };
  const broken = http(t, await serveAnswer(t, answer("connection termination")));
  await assert.rejects(broken.add(1, 2), UnknownOutcomeError);
  const never = http(t, await serveAnswer(t, answer("remote connection failure")));
  await assert.rejects(never.add(1, 2, { timeoutMs: 100 }), /it was never started/);
});

test("a client that can't be made leaves nothing in the registry", async () => {
  const metrics = new Registry();
  assert.throws(() => createClient(Probe, { endpoints: "nowhere", metrics }), ClientOptionError);
  assert.doesNotMatch(await metrics.metrics(), /thrift_client/);
});
