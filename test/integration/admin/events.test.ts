import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { AdminServer } from "../../../src/admin/admin-server.ts";
import type { EventDocument } from "../../../src/admin/status.ts";
import { ask, dial, openAdmin } from "./admin-client.ts";

/** Long enough that no tick comes by itself in a test. */
const never = { eventIntervalMs: 3_600_000 };

/** A viewer of `/events`. */
class Viewer {
  readonly events: { readonly name: string; readonly data: EventDocument }[] = [];
  ended = false;
  #text = "";
  #wakers: (() => void)[] = [];

  read(chunk: string): void {
    const parts = (this.#text + chunk).split("\n\n");
    this.#text = parts.pop()!;
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data === undefined) continue;
      this.events.push({ name: /^event: (.*)$/m.exec(part)?.[1] ?? "message", data: JSON.parse(data) });
    }
    this.wake();
  }

  wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  async until(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }
}

async function view(t: TestContext, admin: AdminServer): Promise<Viewer> {
  const viewer = new Viewer();
  const asking = request({ host: "127.0.0.1", port: admin.port, path: "/events", agent: false });
  t.after(() => asking.destroy());
  asking.on("error", () => {}).end();
  const [response] = await once(asking, "response");
  assert.equal(response.statusCode, 200);
  assert.match(response.headers["content-type"], /^text\/event-stream/);
  response.setEncoding("utf8").on("data", (chunk: string) => viewer.read(chunk));
  response.on("end", () => {
    viewer.ended = true;
    viewer.wake();
  });
  return viewer;
}

test("a viewer gets the state at once, and an event at every announcement", async (t) => {
  const { source, admin } = await openAdmin(t, never);
  const method = source.method("Ledger", "post");
  source.call(method, "completed");
  source.call(method);
  const viewer = await view(t, admin);
  await viewer.until(() => viewer.events.length === 1);
  const { calls, phase, controls, drain } = viewer.events[0]!.data;
  assert.deepEqual([calls.received, calls.completed, calls.owed], [2, 1, 1]);
  assert.deepEqual([phase.phase, controls, drain], ["serving", "open", null]);

  source.phaseStatus = { phase: "draining", inPhaseMs: 0, deadlineInMs: 9000, reason: "SIGTERM" };
  admin.announce();
  await viewer.until(() => viewer.events.length === 2);
  assert.equal(viewer.events[1]!.data.phase.phase, "draining");
});

test("however many look, one snapshot is made per event; and none when nobody looks", async (t) => {
  const { source, admin } = await openAdmin(t, never);
  let made = 0;
  source.inFlight = () => {
    made++;
    return [];
  };
  admin.announce();
  assert.equal(made, 0);
  const viewers = await Promise.all(Array.from({ length: 20 }, () => view(t, admin)));
  for (const viewer of viewers) await viewer.until(() => viewer.events.length === 1);
  assert.equal(made, 1, "those who come at the same time share one");
  admin.announce();
  for (const viewer of viewers) await viewer.until(() => viewer.events.length === 2);
  assert.equal(made, 2);
});

test("events come by themselves at the interval, until the last viewer has gone", async (t) => {
  const { source, admin } = await openAdmin(t, { eventIntervalMs: 5 });
  const viewer = await view(t, admin);
  await viewer.until(() => viewer.events.length === 4);
  const socket = await dial(t, admin);
  socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "data");
  const gone = once(socket, "close");
  socket.destroy();
  await gone;
  await viewer.until(() => viewer.events.length === 8);
  assert.ok(source.logged.length === 0);
});

test("more viewers than may look are turned away with 503, and others come in when one leaves", async (t) => {
  const { admin } = await openAdmin(t, { ...never, maxViewers: 2 });
  const sockets: Socket[] = [];
  for (let count = 0; count < 2; count++) {
    const socket = await dial(t, admin);
    socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(socket, "data");
    sockets.push(socket);
  }
  const refused = await ask(admin, "GET", "/events");
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [503, "5"]);
  sockets[0]!.destroy();
  for (;;) {
    // The server hears of the end of a connection a moment later.
    const socket = await dial(t, admin);
    socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [head] = (await once(socket, "data")) as [Buffer];
    if (head.toString().startsWith("HTTP/1.1 200")) break;
    socket.destroy();
  }
});

test("a viewer that does not read is skipped, then dropped, and delays nobody", async (t) => {
  const { source, admin } = await openAdmin(t, never);
  const stalled = await dial(t, admin);
  stalled.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(stalled, "readable");
  stalled.pause();
  // More than the kernel takes for somebody who does not read.
  source.lastReport = "x".repeat(16 * 1024 * 1024);
  admin.announce();
  let made = 0;
  source.inFlight = () => {
    made++;
    return [];
  };
  source.lastReport = "short";
  const viewer = await view(t, admin);
  await viewer.until(() => viewer.events.length === 1);
  for (let tick = 1; tick <= 35; tick++) {
    admin.announce();
    await viewer.until(() => viewer.events.length === 1 + tick);
  }
  assert.ok(made >= 35);
  stalled.resume();
  await once(stalled, "close");
});

test("a close sends the last event with the report, ends the streams and takes no longer for them", async (t) => {
  const { source, admin } = await openAdmin(t, never);
  const viewer = await view(t, admin);
  await viewer.until(() => viewer.events.length === 1);
  source.lastReport = { outcome: "clean" };
  const fromMs = performance.now();
  await admin.close(60_000);
  assert.ok(performance.now() - fromMs < 1_000);
  await viewer.until(() => viewer.ended);
  const last = viewer.events.at(-1)!;
  assert.deepEqual([last.name, last.data.lastReport], ["last", { outcome: "clean" }]);
});

test("the page offers no buttons where POST is off, and asks for the token where there is one", async (t) => {
  const { admin } = await openAdmin(t, { ...never, token: "secret" });
  const viewer = await view(t, admin);
  await viewer.until(() => viewer.events.length === 1);
  assert.equal(viewer.events[0]!.data.controls, "token");
  const open = await openAdmin(t, { ...never, host: "0.0.0.0" });
  const other = await view(t, open.admin);
  await other.until(() => other.events.length === 1);
  assert.equal(other.events[0]!.data.controls, "off");
});

test("HEAD /events is an empty answer", async (t) => {
  const { admin } = await openAdmin(t, never);
  const { status, body } = await ask(admin, "HEAD", "/events");
  assert.deepEqual([status, body], [200, ""]);
});
