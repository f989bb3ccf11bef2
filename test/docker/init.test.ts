/** What `sluice init` writes, in a container: built, called, healthy, and drained by Compose. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { tarball, userEnv } from "../support/packed-package.ts";
import { spawnSluice, temporaryFolder } from "../support/server-process.ts";
import { compose, docker, engineMissing, provideBaseImage, root } from "./engine.ts";

/** Port 0: Docker picks free ones. */
const environment = {
  COMPOSE_PROJECT_NAME: `sluice-init-${process.pid}`,
  SLUICE_PORT: "0",
  SLUICE_ADMIN_PORT: "0",
};

/** Waits for the health check's word. */
async function isHealthy(id: string): Promise<boolean> {
  const filters = ["--filter", `container=${id}`, "--filter", "event=health_status: healthy"];
  for (let tries = 0; tries < 60; tries++) {
    if ((await docker("inspect", "--format", "{{.State.Health.Status}}", id)) === "healthy") return true;
    // Returns after a second.
    const nextS = Math.floor(Date.now() / 1000) + 1;
    await docker("events", ...filters, "--since", String(nextS), "--until", String(nextS));
  }
  return false;
}

describe("the container of a new service", { skip: engineMissing() }, () => {
  test("answers, is healthy and drains", async (t) => {
    const folder = join(temporaryFolder(t), "calc");
    const init = await spawnSluice(t, ["init", folder, "--package", tarball()]).ended;
    assert.equal(init.code, 0, init.stderr);
    addSource(folder);
    const dockerfile = readFileSync(join(folder, "Dockerfile"), "utf8");
    await provideBaseImage(/^FROM (\S+)/m.exec(dockerfile)![1]!);
    const inFolder = (...args: string[]): Promise<string> =>
      compose(environment, "--file", join(folder, "compose.yaml"), ...args);
    try {
      await assert.rejects(inFolder("build"), /package-lock\.json is missing: run npm install here first/);
      execFileSync("npm", ["install", "--package-lock-only"], { cwd: folder, env: userEnv(), stdio: "pipe" });
      await inFolder("build");
      await inFolder("up", "-d", "--no-build");
      await callAndStop(t, await inFolder("ps", "--quiet"), folder, () => inFolder("stop"));
    } finally {
      await inFolder("down", "--volumes", "--rmi", "local", "--timeout", "1");
    }
  });
});

/** A second source beside service.ts, which reads and writes a file in data/. */
function addSource(folder: string): void {
  const source = `import { readFileSync, writeFileSync } from "node:fs";
export function add(a: number, b: number): number {
  writeFileSync("data/sum", String(a + b));
  return Number(readFileSync("data/sum", "utf8"));
}
`;
  writeFileSync(join(folder, "sums.ts"), source);
  const service = readFileSync(join(folder, "service.ts"), "utf8");
  assert.match(service, /add: \(a, b\) => a \+ b/);
  const using = service
    .replace("add: (a, b) => a + b", "add")
    .replace(/^/, 'import { add } from "./sums.ts";\n');
  writeFileSync(join(folder, "service.ts"), using);
}

async function callAndStop(
  t: TestContext,
  id: string,
  folder: string,
  stop: () => Promise<string>,
): Promise<void> {
  assert.ok(await isHealthy(id), await docker("logs", id));
  const port = (await docker("port", id, "9090")).split("\n")[0]!.split(":").at(-1)!;
  const call = ["call", "--port", port, join(folder, "service.ts"), "add", "1", "2"];
  const called = await spawnSluice(t, call, { NODE_PATH: join(root, "node_modules") }).ended;
  assert.equal(called.stdout, "3\n", called.stderr);
  const processes = await docker("top", id, "-eo", "pid,uid,args");
  assert.match(
    processes,
    /^\s*\d+\s+1000\s+node node_modules\/thrift-sluice\/bin\/sluice\.js serve service\.ts$/m,
  );
  assert.equal(processes.split("\n").length, 2, processes);

  await stop();
  assert.equal(await docker("inspect", "--format", "{{.State.ExitCode}}", id), "0");
  const last = JSON.parse((await docker("logs", "--tail", "1", id)).split("\n").at(-1)!);
  assert.deepEqual([last.msg, last.outcome, last.completed], ["stopped", "clean", 1]);
}
