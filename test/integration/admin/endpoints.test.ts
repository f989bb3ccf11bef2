import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusDocument } from "../../../src/admin/status.ts";
import { outcomes } from "../../../src/calls/outcome.ts";
import { UndrainRefusedError } from "../../../src/lifecycle/errors.ts";
import { parseExposition, sampleValue } from "../../unit/admin/exposition.ts";
import { ask, openAdmin } from "./admin-client.ts";

const post = { "x-sluice-admin": "1" };

test("/livez is 200 in every phase and 503 only when the main thread can't go on", async (t) => {
  const { source, admin } = await openAdmin(t);
  source.phaseStatus = { phase: "draining", inPhaseMs: 1 };
  source.readiness = { ready: false, reason: "draining" };
  const { status, body, headers } = await ask(admin, "GET", "/livez");
  assert.deepEqual([status, body], [200, "ok\n"]);
  assert.equal(headers["cache-control"], "no-store");
  source.alive = false;
  assert.equal((await ask(admin, "GET", "/livez")).status, 503);
});

test("/readyz is 200 when ready, else 503 with the reason", async (t) => {
  const { source, admin } = await openAdmin(t);
  assert.equal((await ask(admin, "GET", "/readyz")).status, 200);
  for (const reason of ["starting", "lame-duck", "draining", "no lane is ready"]) {
    source.readiness = { ready: false, reason };
    const { status, body } = await ask(admin, "GET", "/readyz?verbose");
    assert.deepEqual([status, body], [503, `${reason}\n`]);
  }
});

test("/statusz and /metrics show the same counts, and both add up", async (t) => {
  const { source, admin } = await openAdmin(t);
  const method = source.method("Ledger", "post");
  for (const outcome of outcomes) source.call(method, outcome, 2);
  source.call(method);
  source.unknownCall();
  source.handlersRunning = 1;
  source.phaseStatus = { phase: "draining", inPhaseMs: 20, deadlineInMs: 8980, reason: "SIGTERM" };
  source.lastReport = { outcome: "clean" };

  const { body, headers } = await ask(admin, "GET", "/statusz");
  const status = JSON.parse(body) as StatusDocument;
  const metrics = parseExposition((await ask(admin, "GET", "/metrics")).body);

  assert.match(headers["content-type"]!, /^application\/json/);
  assert.deepEqual(status.phase, source.phaseStatus);
  assert.equal(status.calls.received, 9);
  assert.equal(
    outcomes.reduce((sum, outcome) => sum + status.calls[outcome], status.calls.owed),
    9,
  );
  assert.equal(sampleValue(metrics, "sluice_calls_received_total"), 9);
  for (const outcome of outcomes) {
    assert.equal(sampleValue(metrics, "sluice_calls_total", { outcome }), status.calls[outcome]);
  }
  assert.deepEqual(
    status.methods.map((row) => [row.service, row.method, row.received, row.owed, row.latency.count]),
    [
      ["Ledger", "post", 8, 1, 7],
      [null, null, 1, 0, 1],
    ],
  );
  assert.deepEqual([status.ready, status.notReadyBecause, status.calls.running], [true, null, 1]);
  assert.deepEqual([status.lastReport, status.lanes.length], [{ outcome: "clean" }, 1]);
});

test("/metrics says that it is the text format of Prometheus", async (t) => {
  const { admin } = await openAdmin(t);
  const { headers } = await ask(admin, "GET", "/metrics");
  assert.equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
});

test("the page runs and loads only what the port serves, and every file of it is there", async (t) => {
  const { admin } = await openAdmin(t);
  const { status, headers, body } = await ask(admin, "GET", "/");
  assert.equal(status, 200);
  assert.match(headers["content-type"]!, /^text\/html/);
  const policy = String(headers["content-security-policy"]);
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(body, /<script>|<style| style=| on\w+=|(src|href)="(https?:|\/\/)/);

  const types: Readonly<Record<string, string>> = {
    js: "text/javascript",
    css: "text/css",
    svg: "image/svg+xml",
  };
  const paths = [...body.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path]) => path!);
  assert.ok(paths.length >= 4);
  // Modules lead to further ones.
  for (const path of paths) {
    const file = await ask(admin, "GET", path);
    assert.equal(file.status, 200, path);
    assert.equal(file.headers["content-type"]!.split(";")[0], types[path.split(".").at(-1)!], path);
    for (const [, name] of file.body.matchAll(/^(?:import|\} from|import .* from) .*"\.\/([\w.]+)";$/gm)) {
      if (!paths.includes(`/page/${name}`)) paths.push(`/page/${name}`);
    }
  }
  assert.ok(paths.includes("/page/uplot.js") && paths.includes("/page/timeline.js"), paths.join(" "));
});

test("POST /drain asks for a drain with the reason given and answers 202 with the state", async (t) => {
  const { source, admin } = await openAdmin(t);
  source.call(source.method("Ledger", "post"));
  source.onDrain = () => {
    source.phaseStatus = {
      phase: "draining",
      inPhaseMs: 0,
      deadlineInMs: 9000,
      reason: source.drains.at(-1)!,
    };
  };

  const { status, body } = await ask(admin, "POST", "/drain", post, '{"reason":"deploy"}');
  assert.equal(status, 202);
  assert.deepEqual(JSON.parse(body), {
    phase: "draining",
    inPhaseMs: 0,
    deadlineInMs: 9000,
    reason: "POST /drain: deploy",
    owed: 1,
    running: 0,
  });
  await ask(admin, "POST", "/drain", post);
  await ask(admin, "POST", "/drain?reason=in%20query", post);
  await ask(admin, "POST", "/drain", post, "{}");
  await ask(admin, "POST", "/drain", post, 'as text\r\n{"msg":"forged\u202e"}');
  await ask(admin, "POST", "/drain", post, "x".repeat(1024));
  assert.deepEqual(source.drains.slice(1, 5), [
    "POST /drain",
    "POST /drain: in query",
    "POST /drain",
    'POST /drain: as text {"msg":"forged "}',
  ]);
  assert.equal(source.drains[5], `POST /drain: ${"x".repeat(200)}`);
});

test("a body that is no reason is 400 and drains nothing", async (t) => {
  const { source, admin } = await openAdmin(t);
  for (const body of ['{"reason":', '{"reason":5}']) {
    assert.equal((await ask(admin, "POST", "/drain", post, body)).status, 400);
  }
  assert.deepEqual(source.drains, []);
});

test("POST /undrain is 200, or 409 with the message when it can't be", async (t) => {
  const { source, admin } = await openAdmin(t);
  assert.equal((await ask(admin, "POST", "/undrain", post)).status, 200);
  source.onUndrain = () => {
    throw new UndrainRefusedError("too-late", "can't undrain any more: the server is draining");
  };
  const { status, body } = await ask(admin, "POST", "/undrain", post);
  assert.deepEqual([status, body], [409, "can't undrain any more: the server is draining\n"]);
});

test("an error of the server is a 500 that says nothing and a log line that says all", async (t) => {
  const { source, admin } = await openAdmin(t);
  const cause = new Error("secret");
  source.onUndrain = () => {
    throw cause;
  };
  const { status, body } = await ask(admin, "POST", "/undrain", post);
  assert.deepEqual([status, body], [500, "internal error; the log has it\n"]);
  assert.equal(source.logged.at(-1)?.fields?.["err"], cause);
});

test("HEAD is GET without the body", async (t) => {
  const { admin } = await openAdmin(t);
  for (const path of ["/", "/livez", "/readyz", "/metrics", "/statusz"]) {
    const { status, body, headers } = await ask(admin, "HEAD", path);
    assert.deepEqual([status, body], [200, ""], path);
    assert.ok(Number(headers["content-length"]) > 0, path);
  }
});

test("other methods are 405 with Allow, other paths 404 with the list, and nothing is repeated", async (t) => {
  const { source, admin } = await openAdmin(t);
  for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]) {
    const { status, headers } = await ask(admin, method, "/metrics");
    assert.deepEqual([status, headers["allow"]], [405, "GET, HEAD"], method);
  }
  const get = await ask(admin, "GET", "/drain");
  assert.deepEqual([get.status, get.headers["allow"], source.drains], [405, "POST", []]);
  assert.equal((await ask(admin, "POST", "/metrics", post)).status, 405);
  for (const path of [
    "/forged<b>",
    "/livez/",
    "//livez",
    "http://127.0.0.1/livez",
    "/%2e%2e/livez",
    "/__proto__",
  ]) {
    const { status, body } = await ask(admin, "GET", path);
    assert.equal(status, 404, path);
    assert.match(body, /\/livez .*\/undrain/);
    assert.doesNotMatch(body, /forged/);
  }
});
