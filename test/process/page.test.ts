/** The admin page in a real browser, against a real server under load. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { browserMissing, openPage, startBrowser } from "../support/browser.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact, outcomes } from "../support/report.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

const skip = browserMissing();
const modules = [fixture("probe")];

/** Calls that come all the time, from several clients, until the server closes their connections. */
async function underLoad(t: TestContext, server: ServerProcess): Promise<void> {
  for (let count = 0; count < 4; count++) {
    const client = await connectRaw(t, { connect: { port: server.port } });
    const timer = setInterval(() => {
      for (let call = 0; call < 10; call++) client.send("add", { 1: { i32: 1 }, 2: { i32: 2 } });
    }, 5);
    t.after(() => clearInterval(timer));
    void client.ended.then(() => {
      clearInterval(timer);
      client.end();
    });
  }
}

/** A call that goes on until the file is there. */
async function held(t: TestContext, server: ServerProcess, gate: string): Promise<RawClient> {
  const client = await connectRaw(t, { connect: { port: server.port } });
  client.send("waitFor", { 1: { string: gate } });
  void client.ended.then(() => client.end());
  return client;
}

async function text(page: Page, id: string): Promise<string> {
  return (await page.locator(`#${id}`).textContent()) ?? "";
}

/** Waits until an element shows what fits. */
async function untilShown(page: Page, id: string, pattern: RegExp): Promise<void> {
  await page.locator(`#${id}`).filter({ hasText: pattern }).waitFor({ timeout: 15_000 });
}

async function secondsLeft(page: Page): Promise<number> {
  return Number.parseFloat(await text(page, "countdown"));
}

test("the page shows a drain under load: phase, countdown, calls waited for, outcome", {
  skip,
}, async (t) => {
  const server = await startServer(t, { modules, args: ["--grace", "30s"] });
  await underLoad(t, server);
  const context = await startBrowser(t);
  const { page, complaints, origins } = await openPage(context, server.adminUrl);
  await untilShown(page, "phase", /^serving$/);
  await untilShown(page, "methods", /Probe\.add/);
  await page.locator("#rate-chart canvas").waitFor();
  assert.equal(await page.locator("#countdown").isVisible(), false);
  assert.equal(await page.locator("#drain").isVisible(), true);

  const gate = join(temporaryFolder(t), "gate");
  const client = await held(t, server, gate);
  await untilStatus(server, ({ calls }) => calls.running >= 1);
  server.signal();
  await untilShown(page, "phase", /^draining$/);
  await untilShown(page, "waited", /waitFor.*waiting/s);
  assert.equal(await page.locator("#drain").isVisible(), false, "nothing is left to ask for");
  const left = await secondsLeft(page);
  assert.ok(left > 0 && left <= 30, `${left}`);
  while ((await secondsLeft(page)) > left - 0.5) await page.waitForTimeout(50);

  writeFileSync(gate, "");
  await untilShown(page, "phase", /^stopped: clean$/);
  assert.match(await text(page, "waited"), /waitFor #1 .*completed/s);
  assert.match(await text(page, "bands"), /draining/);
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
  assert.match(await text(page, "drain-summary"), /^Stopped clean .*\(SIGTERM\), exit code 0\./);
  const received = (await text(page, "drain-summary")).match(/([\d\u202f]+) received/)![1]!;
  assert.equal(Number(received.replaceAll("\u202f", "")), last["received"]);
  assert.deepEqual(complaints, []);
  assert.deepEqual([...origins], [server.adminUrl]);
  assert.equal(client.replies.length, 1);
});

test("the report of a drain can be downloaded, and looked at when the server is gone", {
  skip,
}, async (t) => {
  const server = await startServer(t, { modules });
  const gate = join(temporaryFolder(t), "gate");
  await held(t, server, gate);
  await untilStatus(server, ({ calls }) => calls.running === 1);
  const context = await startBrowser(t);
  const { page } = await openPage(context, server.adminUrl);
  await untilShown(page, "phase", /^serving$/);
  server.signal();
  await untilShown(page, "phase", /^draining$/);
  writeFileSync(gate, "");
  await untilShown(page, "phase", /^stopped: clean$/);
  const downloading = page.waitForEvent("download");
  await page.locator("#download").click();
  const path = await (await downloading).path();
  const report = JSON.parse(readFileSync(path, "utf8"));
  const { last, stdout } = await server.ended;
  for (const key of ["received", ...outcomes, "exitCode", "outcome"])
    assert.equal(report[key], last[key], key);
  assert.deepEqual(report.waitedFor, last["waitedFor"]);

  const log = join(temporaryFolder(t), "server.log");
  writeFileSync(log, stdout);
  const other = await startServer(t, { modules });
  const { page: viewer, complaints } = await openPage(context, `${other.adminUrl}/?report=`);
  for (const file of [path, log]) {
    await viewer.locator("#report-file").setInputFiles(file);
    await untilShown(viewer, "drain-summary", /^Stopped clean/);
    assert.match(await text(viewer, "waited"), /waitFor/);
    assert.equal(await viewer.locator("#phase").isVisible(), false);
  }
  await viewer.locator("#report-file").setInputFiles({
    name: "other.json",
    mimeType: "application/json",
    buffer: Buffer.from("{}"),
  });
  await untilShown(viewer, "notice", /no drain report/);
  assert.deepEqual(complaints, []);
});

test("Drain and Undrain ask first, and work by keyboard at a phone's width in the dark", {
  skip,
}, async (t) => {
  const server = await startServer(t, { modules, args: ["--grace", "60s", "--lame-duck", "50s"] });
  const context = await startBrowser(t, { width: 390, dark: true });
  const { page, complaints } = await openPage(context, server.adminUrl);
  await untilShown(page, "phase", /^serving$/);
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  assert.ok(overflow <= 0, `wider than the screen by ${overflow} px`);
  const paper = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
  assert.equal(paper, "rgb(20, 23, 26)");

  await page.locator("#drain").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#ask").isVisible(), true);
  await page.keyboard.press("Escape");
  assert.equal((await untilStatus(server, () => true)).phase.phase, "serving");

  await page.keyboard.press("Enter");
  await page.locator("#ask-reason").fill("by hand");
  await page.keyboard.press("Enter");
  await untilShown(page, "phase", /^lame-duck$/);
  assert.match(await text(page, "phase-why"), /POST \/drain: by hand/);
  await page.locator("#undrain").click();
  await page.locator("#ask-yes").click();
  await untilShown(page, "phase", /^serving$/);
  assert.deepEqual(complaints, []);
});

test("texts of strangers are shown as texts", { skip }, async (t) => {
  const server = await startServer(t, { modules, args: ["--grace", "60s", "--lame-duck", "50s"] });
  const context = await startBrowser(t);
  const { page, complaints } = await openPage(context, server.adminUrl);
  await untilShown(page, "phase", /^serving$/);
  const client = await connectRaw(t, { connect: { port: server.port } });
  client.send("<img src=x onerror=alert(1)>", {}, MessageType.CALL);
  await fetch(`${server.adminUrl}/drain`, {
    method: "POST",
    headers: { "x-sluice-admin": "1" },
    body: "<b>now</b>",
  });
  await untilShown(page, "phase-why", /<b>now<\/b>/);
  await untilShown(page, "methods", /unknown names/);
  assert.deepEqual(complaints, []);
});
