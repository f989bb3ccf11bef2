/** The image and the compose file on a real engine: `docker compose stop` is the drain that users see most. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, type TestContext, test } from "node:test";
import { freePort } from "../support/free-ports.ts";
import { postArguments, resultOf } from "../support/ledger-calls.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { compose, docker, engineMissing, provideBaseImage, root } from "./engine.ts";

const project = `sluice-test-${process.pid}`;
const environment: Record<string, string> = { COMPOSE_PROJECT_NAME: project };

const up = (): Promise<string> => compose(environment, "up", "-d", "--no-build");

async function container(): Promise<string> {
  return docker("ps", "--all", "--quiet", "--filter", `label=com.docker.compose.project=${project}`);
}

async function inspect(format: string): Promise<string> {
  return docker("inspect", "--format", format, await container());
}

/** Waits for the health check's word, also for one that was said before. */
async function healthy(): Promise<void> {
  const id = await container();
  const untilS = Math.ceil(Date.now() / 1000) + 60;
  const event = `event=health_status: healthy`;
  const filters = ["--filter", `container=${id}`, "--filter", event];
  for (let nowS = 0; nowS < untilS; nowS = Date.now() / 1000) {
    const nextS = Math.floor(Date.now() / 1000) + 1;
    if ((await inspect("{{.State.Health.Status}}")) === "healthy") return;
    // Returns after a second, or at once when it is asked for a time that has passed.
    await docker("events", ...filters, "--since", String(nextS - 2), "--until", String(nextS));
  }
  assert.fail(await docker("logs", "--tail", "20", id));
}

async function connectTo(t: TestContext): Promise<RawClient> {
  return connectRaw(t, { connect: { port: Number(environment["SLUICE_PORT"]) } });
}

/** Posts entries and counts the receipts; those that a stop left without an answer throw nothing. */
async function post(client: RawClient, from: number, to: number): Promise<number> {
  const entries = Array.from({ length: to - from }, (_, index) => ({
    id: `entry-${from + index}`,
    debit: "cash",
    credit: "rent",
    amount: 1,
  }));
  const answers = entries.map((entry) => resultOf(client, "post", postArguments(entry)));
  return (await Promise.allSettled(answers)).filter(({ status }) => status === "fulfilled").length;
}

describe("the container", { skip: engineMissing() }, () => {
  before(async () => {
    environment["SLUICE_PORT"] = String(await freePort());
    environment["SLUICE_ADMIN_PORT"] = String(await freePort());
    const dockerfile = readFileSync(`${root}/Dockerfile`, "utf8");
    await provideBaseImage(/^FROM (\S+)/m.exec(dockerfile)![1]!);
    await compose(environment, "build");
    await up();
    await healthy();
  });

  after(async () => {
    await compose(environment, "down", "--volumes", "--timeout", "1");
  });

  test("runs node itself as its first process, as a user without rights, on a file system it can't write", async () => {
    const processes = await docker("top", await container(), "-eo", "pid,uid,args");
    assert.match(processes, /^\s*\d+\s+1000\s+node \/app\/bin\/sluice\.js serve$/m);
    assert.equal(processes.split("\n").length, 2, processes);
    assert.equal(await inspect("{{.HostConfig.ReadonlyRootfs}}"), "true");
  });

  test("answers health checks from the host", async () => {
    const answer = await fetch(`http://127.0.0.1:${environment["SLUICE_ADMIN_PORT"]}/readyz`);
    assert.equal(answer.status, 200);
  });

  test("drains when Compose stops it while clients go on, and has every acknowledged entry at the next start", async (t) => {
    const client = await connectTo(t);
    assert.equal(await post(client, 0, 100), 100);
    const late = post(client, 100, 300);
    const fromMs = performance.now();
    await compose(environment, "stop");
    const stopMs = performance.now() - fromMs;
    const acknowledged = 100 + (await late);

    assert.equal(await inspect("{{.State.ExitCode}}"), "0");
    assert.ok(stopMs < 9000, `the stop took ${stopMs} ms`);
    const last = (await docker("logs", "--tail", "1", await container())).split("\n").at(-1)!;
    const report = JSON.parse(last) as Record<string, unknown>;
    assert.equal(report["msg"], "stopped");
    assert.equal(report["outcome"], "clean");
    assert.equal(report["received"], report["completed"]);

    await up();
    await healthy();
    const again = await connectTo(t);
    const balance = (await resultOf(again, "balance", { 1: { string: "rent" } })) as bigint;
    assert.ok(balance >= acknowledged && balance <= 300n, `${acknowledged} acknowledged, ${balance} kept`);
    const receipt = await resultOf(
      again,
      "post",
      postArguments({ id: "entry-0", debit: "cash", credit: "rent", amount: 1 }),
    );
    assert.equal((receipt as Record<number, unknown>)[2], true, "the first entry is there already");
  });
});
