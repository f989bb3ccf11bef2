import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  judgeGrace,
  parseSystemdSpan,
  type ServerTimes,
  unitOfCgroup,
} from "../../../src/cli/supervisor-limits.ts";
import { spawnSluice, temporaryFolder } from "../../support/server-process.ts";

const times: ServerTimes = { graceMs: 30_000, lameDuckMs: 0, reserveMs: 2000, startTimeoutMs: 60_000 };

const shipped = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), "utf8");

describe("whether grace fits", () => {
  test("a supervisor must give a second more than grace", () => {
    assert.equal(judgeGrace(times, { kind: "told", stopMs: 31_000 }).verdict, "fits");
    const { verdict, lines } = judgeGrace(times, { kind: "told", stopMs: 30_999 });
    assert.equal(verdict, "does-not-fit");
    assert.match(lines[0]!, /grace 30s and 1s to leave: 31s/);
  });

  test("systemd's stop and start are compared, and Type=notify is recommended", () => {
    const unit = {
      kind: "systemd",
      unit: "a.service",
      type: "notify",
      stopMs: 35_000,
      startMs: 75_000,
    } as const;
    assert.deepEqual(judgeGrace(times, unit).verdict, "fits");
    assert.equal(judgeGrace(times, { ...unit, stopMs: 10_000 }).verdict, "does-not-fit");
    assert.equal(judgeGrace(times, { ...unit, startMs: 10_000 }).verdict, "does-not-fit");
    assert.equal(judgeGrace(times, { ...unit, stopMs: Number.POSITIVE_INFINITY }).verdict, "fits");
    assert.match(judgeGrace(times, { ...unit, type: "simple" }).lines.join(), /NotifyAccess=all/);
  });

  test("what can't be known is not judged, but said", () => {
    assert.equal(judgeGrace(times, { kind: "docker" }).verdict, "unknown");
    assert.equal(judgeGrace({ ...times, graceMs: 9000 }, { kind: "docker" }).verdict, "fits");
    assert.match(judgeGrace(times, { kind: "kubernetes" }).lines[0]!, /at least 31/);
    assert.equal(judgeGrace(times, { kind: "none" }).verdict, "unknown");
  });

  test("spans and units are read as systemd writes them", () => {
    assert.equal(parseSystemdSpan("1min 30s"), 90_000);
    assert.equal(parseSystemdSpan("1h 500ms"), 3_600_500);
    assert.equal(parseSystemdSpan("infinity"), Number.POSITIVE_INFINITY);
    assert.equal(parseSystemdSpan(""), undefined);
    assert.equal(unitOfCgroup("0::/system.slice/sluice.service\n"), "sluice.service");
    assert.equal(unitOfCgroup("0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n"), undefined);
  });
});

test("sluice check-grace asks systemctl about the unit, and its exit code tells", async (t) => {
  const folder = temporaryFolder(t);
  const systemctl = join(folder, "systemctl");
  writeFileSync(
    systemctl,
    '#!/bin/sh\n[ "$2" = a.service ] || { echo LoadState=not-found; exit; }\n' +
      "printf 'LoadState=loaded\\nType=notify\\nTimeoutStopUSec=15s\\nTimeoutStartUSec=1min 30s\\n'\n",
  );
  chmodSync(systemctl, 0o755);
  const path = { PATH: `${folder}${delimiter}${process.env["PATH"]}` };
  const run = (args: readonly string[]) => spawnSluice(t, ["check-grace", ...args], path).ended;
  const fits = await run(["--unit", "a.service"]);
  assert.deepEqual([fits.code, /^fits: TimeoutStopSec of a\.service is 15s/.test(fits.stdout)], [0, true]);
  const tight = await run(["--unit", "a.service", "--grace", "14.5s"]);
  assert.equal(tight.code, 1);
  assert.match(tight.stdout, /^does not fit: /);
  assert.equal((await run(["--unit", "b.service"])).code, 2);
});

describe("the numbers of what is shipped add up", () => {
  const seconds = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);

  test("in the Kubernetes manifests", () => {
    const text = shipped("deploy/kubernetes/deployment.yaml");
    const env = (name: string): number => seconds(text, new RegExp(`name: ${name}\\n +value: (\\d+)s`));
    const [grace, lameDuck] = [env("SLUICE_GRACE"), env("SLUICE_LAME_DUCK")];
    const termination = seconds(text, /^ +terminationGracePeriodSeconds: (\d+)$/m);
    assert.equal(text.includes("preStop:"), false, "its time would have to be added");
    assert.ok(termination >= grace + 1 && grace > lameDuck + 2.1, `${termination} ${grace} ${lameDuck}`);
    assert.equal(env("SLUICE_SUPERVISOR_GRACE"), termination);
    const probe = (name: string): string =>
      text.slice(text.indexOf(`${name}:`), text.indexOf("Probe:", text.indexOf(`${name}:`) + 20));
    const product = (name: string): number =>
      seconds(probe(name), /periodSeconds: (\d+)/) * seconds(probe(name), /failureThreshold: (\d+)/);
    assert.ok(product("startupProbe") > env("SLUICE_START_TIMEOUT"));
    assert.ok(product("readinessProbe") < lameDuck, "the endpoint is gone before the drain begins");
  });

  test("in the units of systemd", () => {
    const text = shipped("deploy/systemd/sluice.service");
    const grace = seconds(text, /^Environment=SLUICE_GRACE=(\d+)s$/m);
    assert.ok(seconds(text, /^TimeoutStopSec=(\d+)s$/m) >= grace + 1);
    assert.ok(seconds(text, /^TimeoutStartSec=(\d+)s$/m) > 60);
    assert.match(text, /^NotifyAccess=all$/m);
    assert.match(text, /^KillMode=mixed$/m);
  });

  test("in the compose file, also with HAProxy's checks", () => {
    const text = shipped("docker-compose.yml");
    const graces = [...text.matchAll(/SLUICE_GRACE: (\d+)s[\s\S]*?stop_grace_period: (\d+)s/g)];
    assert.equal(graces.length, 2);
    for (const [, grace, stop] of graces) assert.ok(Number(stop) >= Number(grace) + 1);
    const haproxy = shipped("deploy/haproxy/haproxy.cfg");
    const ms = (word: string): number => seconds(haproxy, new RegExp(`${word} (\\d+)ms`));
    const fall = seconds(haproxy, / fall (\d+)/);
    const seenMs = ms(" inter") + ms("fastinter") * (fall - 1) + ms("timeout check");
    assert.ok(seconds(text, /SLUICE_LAME_DUCK: (\d+)s/) * 1000 > seenMs, `${seenMs} ms`);
  });
});
