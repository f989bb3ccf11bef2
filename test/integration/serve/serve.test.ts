import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { sumOfOutcomes } from "../../../src/calls/call-ledger.ts";
import { OptionError } from "../../../src/config/option-error.ts";
import { UndrainedError } from "../../../src/lifecycle/errors.ts";
import { serve } from "../../../src/server/serve.ts";
import { encodeCall, frame, MessageType } from "../../support/binary.ts";
import { connectRaw } from "../../support/raw-client.ts";
import { temporaryFolder } from "../../support/server-process.ts";
import { createJournal, fixture, quiet, serveFor, sharedFixture } from "./serve-rig.ts";

const bounded = { timeout: 60_000 };
const probe = sharedFixture("probe");
const lived = fixture("lived");
const twoAndThree = { 1: { i32: 2 }, 2: { i32: 3 } };

describe("serve()", bounded, () => {
  it("says where it listens, and answers there", async (t) => {
    const server = await serveFor(t, probe);
    assert.equal(server.phase, "serving");
    const { host, port, adminHost, adminPort } = server.addresses!;
    assert.deepEqual([host, adminHost], ["127.0.0.1", "127.0.0.1"]);
    assert.ok(port > 0 && adminPort > 0 && port !== adminPort);
    const client = await connectRaw(t, { connect: { port } });
    assert.equal((await client.call("add", twoAndThree)).body[0], 5);
    assert.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200);
  });

  it("serves several modules by name, the first one also to plain clients", async (t) => {
    const server = await serveFor(t, [probe, lived]);
    const client = await connectRaw(t, { connect: { port: server.port } });
    assert.equal(String((await client.call("echo", { 1: { string: "four" } })).body[0]), "four");
    assert.equal(String((await client.call("Probe:echo", { 1: { string: "four" } })).body[0]), "four");
    assert.equal(String((await client.call("Lived:echo", { 1: { string: "four" } })).body[0]), "4");
    assert.equal((await client.call("Nobody:echo")).body[2], 1);
    assert.equal(String((await client.call("fb303:getName")).body[0]), "Probe");
  });

  it("counts calls of fb303 as those of any service: what can't be decoded is rejected, what throws failed", async (t) => {
    const server = await serveFor(t, probe);
    const client = await connectRaw(t, { connect: { port: server.port } });
    const whole = encodeCall("getCounter", 1, { 1: { string: "received" } });
    client.write(frame(whole.subarray(0, -3)));
    assert.equal((await client.reply(1)).body[2], 7);
    client.write(client.encode("setOption", 2, { 1: { string: "k" }, 2: { string: "v".repeat(5000) } }));
    assert.equal((await client.reply(2)).type, MessageType.EXCEPTION);
    client.write(client.encode("getName", 3));
    await client.reply(3);
    const { rejected, failed, completed } = await server.drain();
    assert.deepEqual({ rejected, failed, completed }, { rejected: 1, failed: 1, completed: 1 });
  });

  it("shows a published value to every call that comes after its publishing", async (t) => {
    const server = await serveFor(t, [probe, lived]);
    const clients = await Promise.all(
      [1, 2, 3, 4].map(() => connectRaw(t, { connect: { port: server.port } })),
    );
    for (let round = 0; round < 20; round++) {
      await clients[round % 4]!.call("publish", { 1: { string: `v${round}` } });
      const seen = await Promise.all(clients.map((client) => client.call("published")));
      assert.deepEqual(
        seen.map(({ body }) => String(body[0])),
        Array(4).fill(`v${round}`),
      );
    }
    assert.equal(
      String((await clients[0]!.call("Lived:published")).body[0]),
      "",
      "another service's is its own",
    );
  });

  it("runs beside another one in the same process", async (t) => {
    const [a, b] = await Promise.all([serveFor(t, probe), serveFor(t, lived)]);
    const client = await connectRaw(t, { connect: { port: b.port } });
    await a.drain();
    assert.equal((await client.call("add", twoAndThree)).body[0], 5);
    assert.equal(b.phase, "serving");
  });

  it("leaves the process's signals alone unless it is asked to handle them", async (t) => {
    const signals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const;
    const counts = (): number[] => signals.map((signal) => process.listenerCount(signal));
    const before = counts();
    await serveFor(t, probe);
    assert.deepEqual(counts(), before);
    const handling = await serveFor(t, probe, { signals: true });
    assert.deepEqual(
      counts(),
      before.map((count) => count + 1),
    );
    await handling.drain();
    assert.deepEqual(counts(), before);
  });

  it("reloads in every worker, with calls in flight undisturbed", async (t) => {
    const journal = createJournal(t);
    let hups = 0;
    const server = await serveFor(t, lived, {
      settings: { journal: journal.path },
      onHup: () => void hups++,
    });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const slow = client.send("sleep", { 1: { i32: 50 } });
    await client.call("add", twoAndThree);
    await server.reload();
    assert.equal(journal.lines.filter((line) => line === "reload handler").length, 2);
    assert.equal(hups, 1);
    assert.equal((await client.reply(slow)).type, MessageType.REPLY);
    await server.drain();
  });
});

describe("drain()", bounded, () => {
  it("answers every call that was taken, and reports on each", async (t) => {
    const server = await serveFor(t, probe);
    const client = await connectRaw(t, { connect: { port: server.port } });
    const slow = client.send("sleep", { 1: { i32: 100 } });
    for (let round = 0; round < 20; round++) await client.call("add", twoAndThree);
    await client.call("fail", { 1: { string: "error" } });
    await client.call("what");
    client.send("note", { 1: { string: "x" } }, MessageType.ONEWAY);
    await client.call("add", twoAndThree);
    const report = await server.drain("a test");
    assert.equal((await client.reply(slow)).type, MessageType.REPLY);
    assert.equal(await client.ended, "fin");
    const { received, completed, failed, rejected, oneway, owed, outcome, reason, exitCode } = report;
    assert.deepEqual(
      { received, completed, failed, rejected, oneway, owed },
      {
        received: 25,
        completed: 22,
        failed: 1,
        rejected: 1,
        oneway: 1,
        owed: 0,
      },
    );
    assert.equal(received, sumOfOutcomes(report) + owed);
    assert.deepEqual({ outcome, reason, exitCode }, { outcome: "clean", reason: "a test", exitCode: 0 });
    assert.equal(server.phase, "stopped");
  });

  it("gives one promise, however often it is called, also when all is over", async (t) => {
    const server = await serveFor(t, probe);
    const first = server.drain("first");
    assert.equal(server.drain("second"), first);
    const report = await first;
    assert.equal(report.reason, "first");
    assert.equal(server.drain("third"), first);
    assert.equal(await server.stopped, report);
  });

  it("is what `await using` does at its end", async () => {
    let stopped: Promise<unknown>;
    {
      await using server = await serve(probe, quiet);
      stopped = server.stopped;
      assert.equal(server.phase, "serving");
    }
    assert.equal(((await stopped) as { outcome: string }).outcome, "clean");
  });

  it("can be taken back in lame-duck: its promise rejects, and the next drain is a new one", async (t) => {
    const server = await serveFor(t, probe, { lameDuck: "300ms" });
    const client = await connectRaw(t, { connect: { port: server.port } });
    const first = server.drain("first");
    assert.equal(server.phase, "lame-duck");
    assert.equal((await client.call("add", twoAndThree)).body[0], 5, "it serves on");
    server.undrain();
    await assert.rejects(first, UndrainedError);
    assert.equal(server.phase, "serving");
    assert.equal((await client.call("add", twoAndThree)).body[0], 5);
    const second = server.drain("second");
    assert.notEqual(second, first);
    assert.equal((await second).reason, "second");
  });

  it("opens, flushes and closes resources in their order", async (t) => {
    const journal = createJournal(t);
    const server = await serveFor(t, lived, { workers: 1, settings: { journal: journal.path } });
    const client = await connectRaw(t, { connect: { port: server.port } });
    await client.call("echo", { 1: { string: "x" } });
    const report = await server.drain();
    assert.deepEqual(report.failures, []);
    assert.deepEqual(journal.lines, [
      ...["open store", "open index", "open cache", "open pool", "handler"],
      ...["flush pool", "flush cache", "close handler", "close pool", "close cache"],
      ...["flush index", "flush store", "close index", "close store"],
    ]);
  });

  for (const name of ["cache", "store"]) {
    it(`says what could not be flushed (${name}), and closes everything all the same`, async (t) => {
      const journal = createJournal(t);
      const settings = { journal: journal.path, failFlush: name };
      const server = await serveFor(t, lived, { workers: 1, settings });
      const report = await server.drain();
      assert.deepEqual([report.outcome, report.exitCode], ["flush-failed", 4]);
      assert.deepEqual(report.failures, [{ part: `Lived.${name}`, error: `${name} can't be flushed` }]);
      assert.equal(journal.lines.filter((line) => line.startsWith("close")).length, 5);
    });
  }
});

describe("a start that fails", bounded, () => {
  const failing: Record<string, [module: string, options: object, error: RegExp]> = {
    "because there is no such module": ["/nowhere.ts", {}, /there is no such file/],
    "because a process resource can't be opened": [
      lived,
      { settings: { failOpen: "index" } },
      /index can't be opened/,
    ],
    "because a worker resource can't be opened": [
      lived,
      { settings: { failOpen: "pool" } },
      /pool can't be opened/,
    ],
    "because a handler can't be made": [
      lived,
      { settings: { failHandler: "no handler today" } },
      /no handler today/,
    ],
    "because it takes too long": [
      lived,
      { settings: { hangOpen: "store" }, startTimeout: "1s", grace: "3s" },
      /start/i,
    ],
  };
  for (const [why, [module, options, error]] of Object.entries(failing)) {
    it(`${why} rejects with the reason and leaves nothing behind`, async () => {
      const before = process.getActiveResourcesInfo().toSorted();
      await assert.rejects(serve(module, { ...quiet, ...options }), error);
      await resourcesBack(before);
    });
  }

  it("because a module does not load rejects with one error, whichever thread was the first", async (t) => {
    const folder = temporaryFolder(t);
    const late: Record<string, string> = {
      none: "",
      state: "if (workerData?.modules !== undefined) await setTimeout(300);",
      workers: "if (workerData?.modules === undefined) await setTimeout(300);",
    };
    for (const [name, wait] of Object.entries(late)) {
      const module = join(folder, `${name}.mjs`);
      const imports = `import { setTimeout } from "node:timers/promises";\nimport { workerData } from "node:worker_threads";\n`;
      writeFileSync(module, `${imports}${wait}\nthrow new Error("no licence");\n`);
      await assert.rejects(serve(module, quiet), {
        name: "LaneStartError",
        code: "SLUICE_SERVICE_LOAD",
        message: `service module ${module} throws while it loads: Error: no licence (at ${module}:4:7)`,
      });
    }
  });

  it("because the port is taken rejects with the reason and leaves nothing behind", async (t) => {
    const first = await serveFor(t, probe);
    const before = process.getActiveResourcesInfo().toSorted();
    await assert.rejects(serve(probe, { ...quiet, port: first.port }), /in use/);
    await assert.rejects(serve(probe, { ...quiet, adminPort: first.adminPort }), /in use|EADDRINUSE/);
    await resourcesBack(before);
    const client = await connectRaw(t, { connect: { port: first.port } });
    assert.equal((await client.call("add", twoAndThree)).body[0], 5);
  });

  it("because an option is wrong rejects before anything is opened", async () => {
    await assert.rejects(serve(probe, { ...quiet, grace: "1s", reserve: "2s" }), OptionError);
    await assert.rejects(serve(probe, { ...quiet, nonsense: 1 } as never), OptionError);
  });
});

describe("a server that has stopped", bounded, () => {
  it("leaves nothing behind", async () => {
    const before = process.getActiveResourcesInfo().toSorted();
    const server = await serve([probe, lived], quiet);
    await server.drain();
    await resourcesBack(before);
  });
});

/** Waits for what was open before, and nothing else, to be open; fails with what is left. */
async function resourcesBack(before: readonly string[]): Promise<void> {
  const kept = (): string[] => {
    const left = process.getActiveResourcesInfo().toSorted();
    for (const name of [...before, "Immediate", "Timeout"])
      if (left.includes(name)) left.splice(left.indexOf(name), 1);
    return left;
  };
  const untilMs = performance.now() + 3000;
  while (kept().length > 0 && performance.now() < untilMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(kept(), []);
}
