import assert from "node:assert/strict";
import { test } from "node:test";
import { lateSeconds } from "../../../src/admin/event-loop-delay.ts";
import { families } from "../../../src/admin/metric-families.ts";
import { createMetrics } from "../../../src/admin/metrics.ts";
import { laneStates } from "../../../src/admin/source.ts";
import { latencyBucketsSeconds } from "../../../src/calls/latency-histogram.ts";
import { outcomes } from "../../../src/calls/outcome.ts";
import { PHASES } from "../../../src/lifecycle/phases.ts";
import { type Family, parseExposition, sampleValue } from "./exposition.ts";
import { FakeSource } from "./fake-source.ts";

async function scrape(source: FakeSource): Promise<Map<string, Family>> {
  const metrics = createMetrics(source);
  try {
    return parseExposition(await metrics.scrape());
  } finally {
    metrics.stop();
  }
}

function sumOver(all: Map<string, Family>, name: string): number {
  return all.get(name)!.samples.reduce((sum, { value }) => sum + value, 0);
}

test("outcomes and owed add up to received, in all and by method", async () => {
  const source = new FakeSource();
  const post = source.method("Ledger", "post");
  const ping = source.method("Ledger", "ping");
  outcomes.forEach((outcome, index) => {
    for (let n = 0; n <= index; n++) source.call(n % 2 ? post : ping, outcome);
  });
  source.call(post);
  source.call(post);
  source.unknownCall();
  source.calls.malformed();

  const all = await scrape(source);

  assert.equal(sampleValue(all, "sluice_calls_received_total"), 28 + 2 + 1);
  assert.equal(sampleValue(all, "sluice_calls_owed"), 2);
  assert.equal(sumOver(all, "sluice_calls_total") + 2, 31);
  assert.equal(sumOver(all, "thrift_server_requests_total"), 29);
  assert.equal(sumOver(all, "thrift_server_active_requests"), 2);
  assert.equal(sampleValue(all, "sluice_calls_total", { outcome: "cut" }), 7);
  assert.equal(sampleValue(all, "sluice_calls_malformed_total"), 1);
  const ok = all
    .get("thrift_server_requests_total")!
    .samples.filter((s) => s.labels["thrift_success"] === "true");
  assert.equal(
    ok.reduce((sum, { value }) => sum + value, 0),
    1 + 6,
    "completed and oneway are the successes",
  );
});

test("two scrapes at once each add up, though calls come in between", async () => {
  const source = new FakeSource();
  const post = source.method("Ledger", "post");
  const metrics = createMetrics(source);
  source.call(post);
  const first = metrics.scrape();
  source.call(post, "completed");
  const second = metrics.scrape();
  source.call(post, "failed");
  const texts = await Promise.all([first, second]);
  metrics.stop();

  for (const [index, text] of texts.entries()) {
    const all = parseExposition(text);
    const received = sampleValue(all, "sluice_calls_received_total");
    assert.equal(received, index + 1);
    assert.equal(sumOver(all, "sluice_calls_total") + sampleValue(all, "sluice_calls_owed"), received);
    assert.equal(
      sumOver(all, "thrift_server_requests_total") + sumOver(all, "thrift_server_active_requests"),
      received,
    );
  }
});

test("every metric has a conforming name, a help text, a unit in its name, and appears once", async () => {
  const all = await scrape(new FakeSource());
  for (const { name } of families) assert.ok(all.has(name), name);
  for (const [name, { help, type }] of all) {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.notEqual(help, "", name);
    if (name.startsWith("nodejs_") || name.startsWith("process_")) continue;
    assert.match(name, /^(sluice|thrift_server)_/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.doesNotMatch(name, /_(ms|milliseconds|count|sum|bucket|info_total)$/);
    assert.doesNotMatch(name, /gauge|counter|histogram/);
  }
});

test("latencies are a cumulative histogram in seconds", async () => {
  const source = new FakeSource();
  const post = source.method("Ledger", "post");
  for (const tookMs of [0.05, 1, 30, 60_000]) source.call(post, "completed", tookMs);

  const all = await scrape(source);
  const of = { thrift_method: "post", thrift_service: "Ledger" };
  const bucket = (le: string): number =>
    sampleValue(all, "thrift_server_latency_seconds_bucket", { ...of, le });

  assert.deepEqual(
    [bucket("0.0001"), bucket("0.001"), bucket("0.05"), bucket("10"), bucket("+Inf")],
    [1, 2, 3, 3, 4],
  );
  assert.equal(sampleValue(all, "thrift_server_latency_seconds_count", of), 4);
  assert.ok(Math.abs(sampleValue(all, "thrift_server_latency_seconds_sum", of) - 60.03105) < 1e-9);
  assert.equal(all.get("thrift_server_latency_seconds")!.samples.length, latencyBucketsSeconds.length + 3);
});

test("a name that the IDL does not have never becomes a label", async () => {
  const source = new FakeSource();
  source.call(source.method("A", "same"), "completed");
  source.call(source.method("B", "same"), "completed");
  source.call(source.method("B", "unknown"), "completed");
  source.unknownCall();
  source.unknownCall();

  const all = await scrape(source);
  const methods = all
    .get("thrift_server_active_requests")!
    .samples.map(({ labels }) => [labels["thrift_service"], labels["thrift_method"]]);

  assert.deepEqual(methods, [
    ["A", "same"],
    ["B", "same"],
    ["B", "unknown"],
    ["", "unknown"],
  ]);
  const refused = {
    thrift_service: "",
    thrift_method: "unknown",
    thrift_exception_type: "TApplicationException",
  };
  assert.equal(sampleValue(all, "thrift_server_requests_total", refused), 2);
});

test("exactly one phase is 1", async () => {
  for (const phase of PHASES) {
    const source = new FakeSource();
    source.phaseStatus = { phase, inPhaseMs: 0 };
    const { samples } = (await scrape(source)).get("sluice_phase")!;
    assert.equal(samples.length, PHASES.length);
    assert.deepEqual(
      samples.filter(({ value }) => value === 1).map(({ labels }) => labels["phase"]),
      [phase],
    );
  }
});

test("lanes, connections and readiness are counted by state, protocol and kind", async () => {
  const source = new FakeSource();
  source.readiness = { ready: false, reason: "no lane is ready" };
  source.laneList = laneStates.map((state, index) => ({
    index,
    state,
    inFlight: 0,
    queued: 0,
    restarts: index,
  }));
  source.limitStatus = { ...source.limitStatus, malformed: { "bad-json": 2 } };
  source.connectionStatus = {
    open: 5,
    accepted: 9,
    closedByKind: { peer: 3, drain: 1 },
    byProtocol: { binary: 4 },
  };

  const all = await scrape(source);

  assert.equal(sampleValue(all, "sluice_ready"), 0);
  for (const state of laneStates) assert.equal(sampleValue(all, "sluice_lanes", { state }), 1);
  assert.equal(sampleValue(all, "sluice_lane_restarts_total"), 0 + 1 + 2 + 3 + 4);
  assert.equal(sumOver(all, "sluice_connections"), 5);
  assert.equal(sampleValue(all, "sluice_connections", { protocol: "unknown" }), 1);
  assert.equal(sampleValue(all, "sluice_connections_accepted_total"), 9);
  assert.equal(sampleValue(all, "sluice_connections_closed_total", { kind: "peer" }), 3);
  assert.equal(sampleValue(all, "sluice_malformed_messages_total", { kind: "bad-json" }), 2);
});

test("two servers in one process have separate counters and one set of process metrics each", async () => {
  const one = new FakeSource();
  const other = new FakeSource();
  one.call(one.method("Ledger", "post"), "completed");

  const [ofOne, ofOther] = await Promise.all([scrape(one), scrape(other)]);

  assert.equal(sampleValue(ofOne, "sluice_calls_received_total"), 1);
  assert.equal(sampleValue(ofOther, "sluice_calls_received_total"), 0);
  for (const all of [ofOne, ofOther]) assert.ok(sampleValue(all, "process_resident_memory_bytes") > 0);
});

test("a loop that is on time has no delay, though Node records its sampling interval", () => {
  assert.equal(lateSeconds(511), 0);
  assert.equal(lateSeconds(20e6), 0);
  assert.ok(Math.abs(lateSeconds(25e6) - 0.005) < 1e-9);
});

test("the event-loop delay is what a blocked loop was late, since the last scrape", async () => {
  const source = new FakeSource();
  const metrics = createMetrics(source);
  try {
    await metrics.scrape();
    await tick(60);
    const until = performance.now() + 150;
    while (performance.now() < until);
    await tick(60);
    const late = parseExposition(await metrics.scrape());
    const max = sampleValue(late, "sluice_event_loop_delay_seconds", { stat: "max" });
    assert.ok(max > 0.1, String(max));
    const fresh = parseExposition(await metrics.scrape());
    assert.equal(
      sampleValue(fresh, "sluice_event_loop_delay_seconds", { stat: "max" }),
      0,
      "each scrape starts anew",
    );
  } finally {
    metrics.stop();
  }
});

/** Lets Node's own sampling timer tick; there is nothing to wait for but time. */
function tick(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
