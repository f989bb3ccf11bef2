/** What a server does when its state can't be kept, or not all of it in time. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ADMIN_HEADER } from "../../src/admin/guard.ts";
import { serve } from "../../src/server/serve.ts";
import { untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { postArguments, trackArguments } from "../support/ledger-calls.ts";
import { connectRaw } from "../support/raw-client.ts";
import { fixture, startServer, temporaryFolder } from "../support/server-process.ts";

const bounded = { timeout: 60_000 };

describe("when the state thread dies", bounded, () => {
  it("readiness is false, posts fail explicitly, nobody can take the stop back, and the exit code is 4", async (t) => {
    const args = ["--lame-duck", "2s", "--grace", "6s", "--reserve", "1s"];
    const server = await startServer(t, { modules: [fixture("dying-ledger")], args });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const entry = { id: "a", debit: "x", credit: "y", amount: 1 };
    assert.equal((await client.call("post", postArguments(entry))).type, MessageType.REPLY);
    client.send("track", trackArguments("die", 1), MessageType.ONEWAY);
    await server.line("the state thread died");
    const ready = await fetch(`${server.adminUrl}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /the state thread died/);
    assert.equal(
      (await client.call("post", postArguments({ ...entry, id: "b" }))).type,
      MessageType.EXCEPTION,
    );
    const undrain = await fetch(`${server.adminUrl}/undrain`, {
      method: "POST",
      headers: { [ADMIN_HEADER]: "1" },
    });
    assert.equal(undrain.status, 409);
    assert.match(await undrain.text(), /because the state thread died/);
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["outcome"], last["reason"]], [4, "flush-failed", "the state thread died"]);
    assert.match(JSON.stringify(last["failures"]), /the state thread died/);
  });
});

describe("when the state thread throws", bounded, () => {
  it("the log says what and where", async (t) => {
    const server = await startServer(t, { modules: [fixture("dying-ledger")] });
    const client = await connectRaw(t, { connect: { port: server.port } });
    client.send("track", trackArguments("throw", 1), MessageType.ONEWAY);
    const line = await server.line("the state thread died");
    assert.match(String(line["error"]), /died: thrown on the state thread; /);
    assert.match(String(line["stack"]), /dying-ledger\.ts:\d+/);
    assert.equal((await server.ended).code, 4);
  });
});

describe("when calls take all the time that they can get", bounded, () => {
  it("flushing has its reserve all the same, also with a client that does not close its connection", async (t) => {
    const notes = join(temporaryFolder(t), "notes");
    const server = await serve(fixture("slow-flush"), {
      port: 0,
      adminPort: 0,
      workers: 2,
      grace: "3s",
      reserve: "1500ms",
      logLevel: "error",
      settings: { notes, flushMs: "750" },
    });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const spinning = client.call("spin", { 1: { i32: 60_000 } });
    await untilStatus(
      { adminUrl: `http://127.0.0.1:${server.adminPort}` },
      ({ calls }) => calls.running === 1,
    );
    const report = await server.drain();
    assert.equal((await spinning).type, MessageType.EXCEPTION);
    assert.deepEqual(report.failures, []);
    assert.deepEqual([report.outcome, report.exitCode, report.cut], ["cut", 3, 1]);
    assert.deepEqual(readFileSync(notes, "utf8"), "flushed\nclosed\n");
    assert.ok(report.drainMs < 3_000, `${report.drainMs}`);
  });
});

describe("when a worker's resource hangs", bounded, () => {
  it("all others are flushed and closed all the same, within the reserve", async (t) => {
    const notes = join(temporaryFolder(t), "notes");
    writeFileSync(notes, "");
    const server = await serve(fixture("hanging-flush"), {
      port: 0,
      adminPort: 0,
      workers: 1,
      grace: "8s",
      reserve: "2s",
      logLevel: "error",
      settings: { notes },
    });
    const report = await server.drain();
    assert.deepEqual([report.outcome, report.exitCode], ["flush-failed", 4]);
    assert.ok(report.drainMs < 8_000, `${report.drainMs}`);
    assert.deepEqual(
      report.failures.map(({ part }) => part),
      ["Probe.hanging", "Probe.hanging"],
    );
    assert.deepEqual(readFileSync(notes, "utf8").trimEnd().split("\n"), [
      ...["last flush", "first flush", "last close", "first close"],
      ...["store flush", "store close"],
    ]);
  });
});
