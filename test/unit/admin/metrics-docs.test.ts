/** docs/metrics.md, the dashboard and the alert rules name what a server exposes: all of it, and nothing else. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createMetrics } from "../../../src/admin/metrics.ts";
import { temporaryFolder } from "../../support/server-process.ts";
import { type Family, parseExposition } from "./exposition.ts";
import { FakeSource } from "./fake-source.ts";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

/** What Linux alone tells; elsewhere prom-client leaves it out. */
const linuxOnly = /^process_(open_fds|max_fds|virtual_memory_bytes|heap_bytes)$/;

async function scrape(): Promise<string> {
  const source = new FakeSource();
  const method = source.method("Ledger", "post");
  source.call(method, "completed");
  source.unknownCall();
  source.laneList = [
    { index: 0, state: "ready", inFlight: 1, queued: 1, restarts: 0, utilisation: 0.5, memoryBytes: 1e6 },
  ];
  source.connectionStatus = { open: 1, accepted: 2, closedByKind: { peer: 1 }, byProtocol: { http: 1 } };
  source.limitStatus = {
    hits: { maxInFlight: 1 },
    connectionBytes: 1,
    callBytes: 1,
    malformed: { "bad-json": 1 },
  };
  source.phaseStatus = { phase: "draining", inPhaseMs: 1, deadlineInMs: 1000, reason: "SIGTERM" };
  const metrics = createMetrics(source);
  try {
    return await metrics.scrape();
  } finally {
    metrics.stop();
  }
}

interface Documented {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly query: string;
}

/** The entries of docs/metrics.md. */
function documented(): Documented[] {
  const entry =
    /^### `(\w+)`\n\n(\w+), [^;]+; (no labels|labels? [^.]+)\. [\s\S]+?\n\n```promql\n(.+)\n```$/gm;
  const text = read("docs/metrics.md");
  const found = [...text.matchAll(entry)].map(([, name, type, labels, query]) => ({
    name: name!,
    type: type!,
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    query: query!,
  }));
  assert.equal(found.length, [...text.matchAll(/^### /gm)].length, "each entry has all its parts");
  return found;
}

/** The names that a text may use of a family: a histogram's samples have others than itself. */
function namesOf(families: Map<string, Family>): Set<string> {
  return new Set(
    [...families].flatMap(([name, { type }]) =>
      type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

function metricsIn(text: string): string[] {
  return [...text.matchAll(/\b(?:sluice|thrift_server|process|nodejs)_\w+/g)].map(([name]) => name);
}

test("every metric that a server exposes is documented, and the other way round", async () => {
  const families = parseExposition(await scrape());
  const docs = documented();
  const known = docs.map(({ name }) => name).filter((name) => families.has(name) || !linuxOnly.test(name));
  assert.deepEqual(known.toSorted(), [...families.keys()].toSorted());
  for (const { name, type, labels, query } of docs) {
    const family = families.get(name);
    if (family === undefined) continue;
    assert.equal(type, family.type, name);
    const used = new Set(family.samples.flatMap((sample) => Object.keys(sample.labels)));
    used.delete("le");
    // An observation of the garbage collector may not have been made yet.
    if (family.samples.length > 0) assert.deepEqual([...used].toSorted(), labels.toSorted(), name);
    assert.ok(
      metricsIn(query).some((used) => used.startsWith(name)),
      `${name}: its query is about it`,
    );
    for (const used of metricsIn(query)) assert.ok(namesOf(families).has(used), `${name}: ${used}`);
  }
});

test("the dashboard and the alert rules use only metrics that exist", async () => {
  const names = namesOf(parseExposition(await scrape()));
  for (const path of ["deploy/grafana/dashboard.json", "deploy/prometheus/alerts.yml"]) {
    const used = metricsIn(read(path));
    assert.ok(used.length >= 9, path);
    for (const name of used) assert.ok(names.has(name), `${path}: ${name}`);
  }
  const { panels } = JSON.parse(read("deploy/grafana/dashboard.json")) as { panels: { id: number }[] };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
});

test("names follow the conventions of Prometheus", async () => {
  for (const [name, { type, help }] of parseExposition(await scrape())) {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
    // Base units, spelt out and last; names of histograms' samples belong to them alone.
    assert.doesNotMatch(name, /_(ms|millis\w*|us|minutes|kb|mb|kib|percent)(_|$)/, name);
    assert.doesNotMatch(name, /_(bucket|sum|count)$/, name);
    assert.notEqual(help, "", name);
  }
});

test("promtool finds nothing to say about metrics and rules", { skip: promtoolMissing() }, async (t) => {
  execFileSync("promtool", ["check", "metrics"], {
    input: await scrape(),
    stdio: ["pipe", "ignore", "inherit"],
  });
  const rules = new URL("../../../deploy/prometheus/alerts.yml", import.meta.url).pathname;
  execFileSync("promtool", ["check", "rules", rules], { stdio: "ignore" });
  // As rules the documented queries are parsed too, and those of the dashboard, whose variables stand for a regex.
  const dashboard = [...read("deploy/grafana/dashboard.json").matchAll(/"expr": (".*")/g)].map(([, expr]) =>
    (JSON.parse(expr!) as string).replaceAll("$__rate_interval", "1m"),
  );
  const queries = [...documented().map(({ query }) => query), ...dashboard];
  assert.ok(queries.length > 60);
  const file = join(temporaryFolder(t), "queries.json");
  const records = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: "queries", rules: records }] }));
  execFileSync("promtool", ["check", "rules", "--lint=none", file], { stdio: "ignore" });
});

function promtoolMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1") return false;
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return "no promtool here; on Debian: apt-get install prometheus";
  }
}
