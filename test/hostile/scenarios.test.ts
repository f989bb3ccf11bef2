/** Hostile conduct against one server, one kind after the other, while a client that means well calls it all the time. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { statusOf, untilStatus } from "../support/admin.ts";
import { encodeCall, frame } from "../support/binary.ts";
import { assertExact } from "../support/report.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { ForeignLoad } from "./foreign-load.ts";
import { limits, memoryBoundBytes, memoryOf, startHostileServer } from "./hostile-server.ts";
import { graceMs, Probe, partialFrameMs } from "./observe.ts";
import { assertUnharmed, Victim } from "./victim.ts";
import { good, http, join, webSocketFrame, webSocketHead } from "./wire.ts";

/** Does something hostile, and asserts what becomes of it. */
type Scenario = (server: ServerProcess, t: TestContext) => Promise<void>;

function call(name: string, seqid: number, number: number): Buffer {
  return frame(encodeCall(name, seqid, { 1: { i32: number } }));
}

function probes(server: ServerProcess, count: number): Probe[] {
  return Array.from({ length: count }, () => new Probe(server.port));
}

async function allEnded(all: readonly Probe[], withinMs: number): Promise<void> {
  await Promise.all(all.map((probe) => probe.untilEnd(withinMs)));
  const open = all.filter(({ ended }) => !ended).length;
  for (const { socket } of all) socket.destroy();
  assert.equal(open, 0, `${open} of ${all.length} connections were not closed within ${withinMs} ms`);
}

/** Until what the scenario did is over for the server. */
async function untilCalm(server: ServerProcess): Promise<void> {
  await untilStatus(server, ({ calls, connections }) => calls.owed <= 1 && connections.open <= 2);
}

const resets: Record<string, (probe: Probe) => void> = {
  "before a byte": () => {},
  "in a frame's length": ({ socket }) => socket.write(frame(good("binary")).subarray(0, 2)),
  "in a message": ({ socket }) => socket.write(frame(good("binary")).subarray(0, 20)),
  "while its call runs": ({ socket }) => socket.write(call("sleep", 1, 50)),
  "with calls in a row": ({ socket }) =>
    socket.write(join(...Array.from({ length: 20 }, (_, at) => call("sleep", at, 5)))),
  "in its reply of 500 kB": ({ socket }) => socket.pause().write(call("Echo:blob", 1, 500_000)),
  "in the TLS handshake": ({ socket }) => socket.write(Buffer.from("16030102000100", "hex")),
  "in an HTTP body": ({ socket }) => socket.write(http("half", "Content-Length: 100")),
  "while HTTP's call runs": ({ socket }) => socket.write(http(encodeCall("sleep", 1, { 1: { i32: 50 } }))),
  "in a WebSocket's message": ({ socket }) =>
    socket.write(join(webSocketHead, webSocketFrame(0x82, "abc", 90n))),
  "in a zlib stream": ({ socket }) => socket.write(Buffer.from("789ced", "hex")),
};

const scenarios: Record<string, Scenario> = {
  ...Object.fromEntries(
    Object.entries(resets).map(([when, send]): [string, Scenario] => [
      `RST ${when}, fifty times`,
      async (server) => {
        for (let round = 0; round < 10; round++) {
          const all = probes(server, 10);
          await Promise.all(
            all.map((probe) => new Promise((resolve) => probe.socket.once("connect", resolve))),
          );
          for (const probe of all) send(probe);
          // Large replies are not to be what keeps the server busy.
          await sleep(when.includes("kB") ? 60 : 15);
          for (const { socket } of all) socket.resetAndDestroy();
        }
      },
    ]),
  ),

  "a slow-loris: 200 connections that send a byte each 100 ms": async (server) => {
    const all = probes(server, 200);
    const bytes = frame(good("binary"));
    let sent = 0;
    const drip = setInterval(() => {
      for (const { socket, ended } of all) if (!ended) socket.write(bytes.subarray(sent, sent + 1));
      sent++;
    }, 100);
    await allEnded(all, partialFrameMs + graceMs + 500);
    clearInterval(drip);
  },

  "200 connections that say nothing": async (server) => allEnded(probes(server, 200), 1_500 + graceMs),

  "a flood of connections to twice maxConnections": async (server) => {
    const all = probes(server, 2 * limits["maxConnections"]);
    await sleep(500);
    const { connections, limits: hit } = await statusOf(server);
    assert.ok(connections.open <= limits["maxConnections"], `${connections.open} are open`);
    assert.ok(hit.hits["maxConnections"]! >= limits["maxConnections"] - 10, JSON.stringify(hit));
    await allEnded(all, 1_500 + graceMs);
  },

  "2,000 connections that come and go": async (server) => {
    for (let round = 0; round < 20; round++) {
      const all = probes(server, 100);
      for (const { socket } of all) socket.end(frame(good("binary")));
      await allEnded(all, 3_000);
    }
  },

  "readers that stall with 200 replies of 1 MB each": async (server) => {
    const before = (await statusOf(server)).limits.hits;
    const all = probes(server, 1);
    for (const { socket } of all) {
      socket.pause();
      socket.write(join(...Array.from({ length: 200 }, (_, at) => call("Echo:blob", at, 1_000_000))));
    }
    await untilStatus(server, ({ limits: { hits } }) => hits["writeTimeout"]! > before["writeTimeout"]!);
    for (const { socket } of all) socket.destroy();
  },

  "frames of 1 MB that never become whole, more of them than maxBuffered has room for": async (server) => {
    const all = probes(server, 100);
    const most = Buffer.alloc(1_000_000);
    most.writeInt32BE(most.length);
    frame(good("binary")).copy(most, 4, 4);
    const before = (await statusOf(server)).limits.hits["maxBuffered"]!;
    // Not all at once: this is not about how fast a machine copies.
    for (const { socket } of all) {
      socket.write(most);
      await sleep(5);
    }
    await untilStatus(server, ({ limits: { hits } }) => hits["maxBuffered"]! > before);
    await allEnded(all, partialFrameMs + graceMs + 1_000);
  },

  "HTTP bodies of 1 MB in pieces of a byte": async (server) => {
    const all = probes(server, 20);
    const chunks = "1\r\nx\r\n".repeat(100_000);
    for (const { socket } of all) {
      await sleep(50);
      socket.write(http("", "Transfer-Encoding: chunked"));
      socket.write(chunks);
    }
    await allEnded(all, partialFrameMs + graceMs + 2_000);
  },

  "50,000 slow calls in a row on one connection, all of them answered": async (server) => {
    const probe = new Probe(server.port);
    const before = (await statusOf(server)).calls.completed;
    const calls = 50_000;
    probe.socket.on("data", () => {});
    probe.socket.end(join(...Array.from({ length: calls }, (_, at) => call("sleep", at, 2))));
    await probe.untilEnd(15_000);
    assert.equal(probe.received.length, calls * replyToSleepBytes);
    const { calls: after } = await statusOf(server);
    assert.ok(after.completed >= before + calls);
  },

  "50,000 slow calls in all on 50 connections": async (server) => {
    const all = probes(server, 50);
    for (const { socket } of all)
      socket.end(join(...Array.from({ length: 1_000 }, (_, at) => call("sleep", at, 20))));
    await allEnded(all, 15_000);
    const { limits: hit } = await statusOf(server);
    assert.ok(hit.hits["maxInFlightPerConnection"]! > 0, JSON.stringify(hit));
  },

  "TLS handshakes that stop halfway, and TLS that ends in noise": async (server) => {
    const halfway = probes(server, 50);
    for (const { socket } of halfway) socket.write(Buffer.from("16030102000100", "hex"));
    const secure = Array.from({ length: 20 }, () =>
      connectTls({ port: server.port, rejectUnauthorized: false }),
    );
    for (const socket of secure) {
      socket.on("error", () => {});
      socket.once("secureConnect", () => socket.write(Buffer.alloc(500, 0xfe)));
    }
    await Promise.all(secure.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    await allEnded(halfway, partialFrameMs + graceMs);
  },

  "pings of WebSockets without end": async (server) => {
    const all = probes(server, 5);
    const pings = Buffer.concat(Array.from({ length: 20_000 }, () => webSocketFrame(0x89, "ping")));
    for (const { socket } of all) {
      socket.pause();
      socket.write(join(webSocketHead, pings));
    }
    await sleep(1_000);
    for (const { socket } of all) socket.destroy();
  },
};

/** The frame of a reply to `sleep`: length, head with the name, an i64, stop. */
const replyToSleepBytes = 4 + 4 + 4 + 5 + 4 + (3 + 8) + 1;

test("hostile conduct harms nobody else", { timeout: 110_000 }, async (t) => {
  const server = await startHostileServer(t);
  const victim = await Victim.start(t, server.port);
  const load = new ForeignLoad([server.pid]);
  const idle = memoryOf(server).now;
  await victim.window();
  for (const [name, scenario] of Object.entries(scenarios)) {
    await t.test(name, async (t) => {
      await scenario(server, t);
      await untilCalm(server);
      const window = await victim.window();
      t.diagnostic(`victim: ${JSON.stringify(window)}; memory ${mib(memoryOf(server).peak)} MiB`);
      assert.deepEqual(window.errors, []);
    });
  }
  await victim.stop();
  assertUnharmed(t, victim.whole, load);
  const { peak } = memoryOf(server);
  t.diagnostic(
    `memory: ${mib(idle)} MiB idle, ${mib(peak)} MiB at most, bound ${mib(memoryBoundBytes(idle))} MiB`,
  );
  t.diagnostic(`limits: ${JSON.stringify((await statusOf(server)).limits)}`);
  assert.ok(peak <= memoryBoundBytes(idle), `${mib(peak)} MiB`);
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
});

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
