import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { AdminListenError, createAdminServer } from "../../../src/admin/admin-server.ts";
import { FakeSource } from "../../unit/admin/fake-source.ts";
import { ask, dial, openAdmin, received } from "./admin-client.ts";

const get = "GET /statusz HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("a port in use is one typed error that names it and what to do", async (t) => {
  const { admin } = await openAdmin(t);
  const again = createAdminServer(new FakeSource(), { host: "127.0.0.1", port: admin.port });
  await assert.rejects(again, (error: AdminListenError) => {
    assert.ok(error instanceof AdminListenError);
    assert.equal(error.code, "SLUICE_ADMIN_LISTEN");
    assert.match(
      error.message,
      new RegExp(`127\\.0\\.0\\.1:${admin.port} .*: it is in use; stop .*--admin-port`),
    );
    return true;
  });
});

test("close drops idle and half-said connections at once and refuses new ones", async (t) => {
  const { admin } = await openAdmin(t);
  const kept = await dial(t, admin);
  kept.write(get);
  await once(kept, "data");
  const silent = await dial(t, admin);
  const halfHead = await dial(t, admin);
  halfHead.write("GET /livez HT");
  const halfBody = await dial(t, admin);
  halfBody.write("POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab");
  await ask(admin, "GET", "/livez");
  const gone = Promise.all([kept, silent, halfHead, halfBody].map((socket) => received(socket)));

  const began = performance.now();
  await admin.close(60_000);
  await gone;

  assert.ok(performance.now() - began < 1_000);
  await assert.rejects(ask(admin, "GET", "/livez"), { code: "ECONNREFUSED" });
});

test("close lets an answer that is on its way arrive whole, and says Connection: close", async (t) => {
  const { source, admin } = await openAdmin(t);
  let closed: Promise<void> | undefined;
  source.onDrain = () => {
    closed = admin.close(60_000);
  };
  const { status, headers } = await ask(admin, "POST", "/drain", {
    "x-sluice-admin": "1",
    connection: "keep-alive",
  });
  assert.equal(status, 202);
  assert.equal(headers["connection"], "close");
  await closed;
});

test("a reader that takes nothing can't hold a close beyond its time", async (t) => {
  const { source, admin } = await openAdmin(t);
  source.lastReport = "x".repeat(32 * 1024 * 1024);
  const stalled = await dial(t, admin);
  stalled.write(get);
  await once(stalled, "readable");
  const began = performance.now();
  await admin.close(50);
  const tookMs = performance.now() - began;
  assert.ok(tookMs >= 40 && tookMs < 1_000, String(tookMs));
});

test("close can be hurried and repeated", async (t) => {
  const { source, admin } = await openAdmin(t);
  source.lastReport = "x".repeat(32 * 1024 * 1024);
  const stalled = await dial(t, admin);
  stalled.write(get);
  await once(stalled, "readable");
  const patient = admin.close(60_000);
  await admin.close(0);
  await patient;
  await admin.close(0);
});
