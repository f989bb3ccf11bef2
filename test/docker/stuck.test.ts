/** A container whose handlers hang: its own exit code has to come before Docker's SIGKILL. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { untilStatus } from "../support/admin.ts";
import { resultOf } from "../support/ledger-calls.ts";
import { connectRaw } from "../support/raw-client.ts";
import { compose, docker, engineMissing, provideBaseImage, root } from "./engine.ts";

const environment = { COMPOSE_PROJECT_NAME: `sluice-stuck-${process.pid}` };
const module: string = fileURLToPath(new URL("stuck-service.mjs", import.meta.url));

describe("a container with stuck handlers", { skip: engineMissing() }, () => {
  test("leaves with code 3 before Docker kills it, with the report as its last line", async (t) => {
    const dockerfile = readFileSync(`${root}/Dockerfile`, "utf8");
    await provideBaseImage(/^FROM (\S+)/m.exec(dockerfile)![1]!);
    await compose(environment, "build");
    const ports = ["--publish", "127.0.0.1::9090", "--publish", "127.0.0.1::9091"];
    // Docker's default for a stop: 10 s.
    // No --read-only: nothing could be copied into it.
    const settings = ["--env", "SLUICE_GRACE=9s", "--env", "SLUICE_WORKERS=3"];
    const id = await docker(
      "create",
      ...ports,
      ...settings,
      "thrift-sluice",
      "serve",
      "/app/stuck-service.mjs",
    );
    t.after(() => docker("rm", "--force", "--volumes", id));
    await docker("cp", module, `${id}:/app/stuck-service.mjs`);
    await docker("start", id);
    const portOf = async (port: number): Promise<number> =>
      Number((await docker("port", id, String(port))).split("\n")[0]!.split(":").at(-1));
    const server = { adminUrl: `http://127.0.0.1:${await portOf(9091)}` };
    await untilReady(server.adminUrl);
    const client = await connectRaw(t, { connect: { port: await portOf(9090) } });
    const looping = client.call("ping");
    const native = client.call("audit");
    await untilStatus(server, ({ calls }) => calls.running === 2);

    const fromMs = performance.now();
    await docker("stop", id);
    const stopMs = performance.now() - fromMs;
    assert.equal(await docker("inspect", "--format", "{{.State.ExitCode}}", id), "3");
    assert.ok(stopMs < 10_000, `the stop took ${stopMs} ms`);
    const report = JSON.parse((await docker("logs", "--tail", "1", id)).split("\n").at(-1)!) as Record<
      string,
      unknown
    >;
    assert.deepEqual([report["msg"], report["outcome"], report["cut"]], ["stopped", "cut", 2]);
    for (const call of [looping, native]) assert.equal((await call).type, 3, "each caller is told");
    await assert.rejects(resultOf(client, "balance", { 1: { string: "a" } }));
  });
});

/** The container may refuse connects until it listens. */
async function untilReady(adminUrl: string): Promise<void> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const answer = await fetch(`${adminUrl}/readyz`).catch(() => undefined);
    await answer?.text();
    if (answer?.status === 200) return;
    assert.ok(performance.now() < untilMs, "it never became ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
