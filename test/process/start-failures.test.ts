import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import {
  type Ended,
  fixture,
  type ServerOptions,
  spawnServer,
  startServer,
  temporaryFolder,
} from "../support/server-process.ts";

/** Starts a server that can't start, and asserts that stderr says so in one line that fits. */
async function assertRefused(
  t: TestContext,
  options: ServerOptions,
  code: number,
  line: RegExp,
): Promise<Ended> {
  const ended = await spawnServer(t, options).ended;
  assert.deepEqual([ended.code, ended.signal], [code, null], ended.stderr);
  assert.match(ended.stderr, /^sluice: [^\n]+\n$/, "one line");
  assert.match(ended.stderr, line);
  if (code === 1) {
    assert.deepEqual([ended.last["msg"], ended.last["outcome"]], ["stopped", "start-failed"]);
    assert.equal(ended.last["exitCode"], 1);
  } else {
    assert.equal(ended.stdout, "", "nothing was started");
  }
  assert.ok(!ended.lines.some(({ msg }) => msg === "listening"));
  return ended;
}

/** Listens on a port or a path until the test ends. */
async function occupy(t: TestContext, where: number | string): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  if (typeof where === "string") server.listen(where);
  else server.listen(where, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? address!.port : 0;
}

// Each test waits for processes of its own most of its time.
describe("a start that fails", { concurrency: 3 }, () => {
  test("a port in use is named, exit 1", async (t) => {
    const port = await occupy(t, 0);
    await assertRefused(
      t,
      { args: ["--port", `${port}`] },
      1,
      new RegExp(`127\\.0\\.0\\.1:${port}: it is in use; .* --port or SLUICE_PORT \\(0 picks a free one\\)`),
    );
  });

  test("an admin port in use is named, exit 1", async (t) => {
    const port = await occupy(t, 0);
    await assertRefused(
      t,
      { args: ["--admin-port", `${port}`] },
      1,
      new RegExp(
        `127\\.0\\.0\\.1:${port} for the admin port: it is in use; .* --admin-port or SLUICE_ADMIN_PORT \\(0 picks a free one\\)`,
      ),
    );
  });

  test("a socket path in use is named and left alone, exit 1", async (t) => {
    const path = join(temporaryFolder(t), "sluice.sock");
    await occupy(t, path);
    await assertRefused(t, { args: ["--socket", path] }, 1, /sluice\.sock: it is in use/);
    assert.ok(existsSync(path), "it belongs to the other server");
  });

  test("a socket in a folder that is not there is told so, exit 1", async (t) => {
    const path = join(temporaryFolder(t), "nowhere", "sluice.sock");
    await assertRefused(
      t,
      { args: ["--socket", path] },
      1,
      /nowhere\/sluice\.sock: there is no folder .*nowhere\n$/,
    );
  });

  test("a stop leaves no socket file behind, and no failed start makes one", async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "sluice.sock");
    const server = await startServer(t, { args: ["--socket", path] });
    assert.ok(existsSync(path));
    server.signal();
    assert.equal((await server.ended).code, 0);
    assert.ok(!existsSync(path));
    const broken = join(folder, "broken");
    writeFileSync(broken, "");
    const options = { modules: [fixture("flaky-factory")], env: { FLAKY_FACTORY_BROKEN: broken } };
    await assertRefused(t, { ...options, args: ["--socket", path] }, 1, /licence server/);
    assert.ok(!existsSync(path));
  });

  test("a TypeScript module under node_modules is to be copied out of it, exit 1", async (t) => {
    const folder = join(temporaryFolder(t), "node_modules", "anybody");
    mkdirSync(folder, { recursive: true });
    const module = join(folder, "service.ts");
    writeFileSync(module, `export const answer: number = 42;\n`);
    await assertRefused(
      t,
      { modules: [module] },
      1,
      /Stripping types is .*: copy the module's folder to where it is not under node_modules\n$/,
    );
  });

  test("a module that is not there, and one that can't be read, are named, exit 1", async (t) => {
    const folder = temporaryFolder(t);
    await assertRefused(t, { modules: [join(folder, "none.ts")] }, 1, /none\.ts: there is no such file/);
    await assertRefused(t, { modules: [folder] }, 1, new RegExp(`${folder}: it is not a file`));
    const syntax = join(folder, "syntax.mjs");
    writeFileSync(syntax, "export default {;\n");
    await assertRefused(t, { modules: [syntax] }, 1, /syntax\.mjs throws while it loads: SyntaxError/);
  });

  for (const [name, line] of [
    [
      "no-default-export",
      /no-default-export\.ts has no default export; it must say: export default defineService/,
    ],
    ["not-a-service", /not-a-service\.ts: its default export was not made by defineService/],
    [
      "throwing-module",
      /throwing-module\.ts throws while it loads: Error: no licence found \(at .*throwing-module\.ts:2:\d+\)/,
    ],
    ["missing-method", /Probe.*add.*echo/],
  ] as const) {
    test(`a broken module is named with its fault, exit 1: ${name}`, async (t) => {
      await assertRefused(t, { modules: [fixture(name)] }, 1, line);
    });
  }

  test("a handler factory that throws at start is named with its service, exit 1", async (t) => {
    const broken = join(temporaryFolder(t), "broken");
    writeFileSync(broken, "");
    const options = { modules: [fixture("flaky-factory")], env: { FLAKY_FACTORY_BROKEN: broken } };
    await assertRefused(
      t,
      options,
      1,
      /Flaky.*the licence server is away \(at \S+flaky-factory\.ts:\d+:\d+\)$/m,
    );
  });

  test("a resource that does not open is named, and those opened before it are closed, exit 1", async (t) => {
    const journal = join(temporaryFolder(t), "journal");
    const env = { FAILING_STEP: "open", PROBE_JOURNAL: journal };
    await assertRefused(
      t,
      { modules: [fixture("failing-resource")], env },
      1,
      /"second" of the service Probe.*disk is full/,
    );
    assert.equal(readFileSync(journal, "utf8"), "open first\nopen second\nclose first\n");
  });

  for (const step of ["flush", "close"]) {
    test(`a resource that fails to ${step} is named in the report, the others are seen to, exit 4`, async (t) => {
      const journal = join(temporaryFolder(t), "journal");
      const env = { FAILING_STEP: step, PROBE_JOURNAL: journal };
      const server = await startServer(t, { modules: [fixture("failing-resource")], env });
      server.signal();
      const { code, last, lines } = await server.ended;
      assert.equal(code, 4, JSON.stringify(last));
      const errors = lines.filter(({ level }) => level === "error");
      assert.deepEqual(
        errors.map(({ msg, part }) => [msg, part]),
        [
          [`a ${step} failed`, "Probe.second"],
          ["stopped", undefined],
        ],
      );
      assert.deepEqual([last["msg"], last["outcome"]], ["stopped", "flush-failed"]);
      assert.deepEqual(last["failures"], [{ part: "Probe.second", error: "the disk is full" }]);
      const steps = readFileSync(journal, "utf8").trimEnd().split("\n").slice(2);
      assert.deepEqual(steps, ["flush second", "flush first", "close second", "close first"]);
    });
  }

  test("a database path that can't be written is named, exit 1", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "file");
    writeFileSync(file, "no folder");
    const below = join(file, "ledger.db");
    await assertRefused(
      t,
      { args: ["--store", `sqlite:${below}`] },
      1,
      new RegExp(below.replaceAll(".", "\\.")),
    );
    await assertRefused(t, { args: ["--store", `sqlite:${folder}`] }, 1, new RegExp(folder));
    await assertRefused(t, { args: ["--store", `sqlite:${file}`] }, 1, new RegExp(file));
    assert.equal(readFileSync(file, "utf8"), "no folder", "a file that is no database is left as it is");
  });

  test("a start that takes too long is told with its option, exit 1", async (t) => {
    const folder = temporaryFolder(t);
    const env = { SLOW_START_GATE: join(folder, "never"), PROBE_JOURNAL: join(folder, "journal") };
    const options = { modules: [fixture("slow-start")], env, args: ["--start-timeout", "600ms"] };
    await assertRefused(
      t,
      options,
      1,
      /startTimeout \(600 ms\), waiting for worker [01].*slow-start.*--start-timeout\)/,
    );
  });

  test("too few descriptors are named with where their limit is set, exit 1", async (t) => {
    const wrapper = ["sh", "-c", 'ulimit -n 28; exec "$@"', "sh"];
    await assertRefused(t, { wrapper }, 1, /EMFILE.*: the process may open no more files; .*ulimit -n/);
  });

  for (const [args, line] of [
    [["--workers", "0"], /--workers: "0" is not allowed; give a whole number from 1 to 512/],
    [["--grace", "2s"], /--grace: 2s is not allowed/],
    [["--quite", "1s"], /--quite: no such option; did you mean --quiet\?/],
    [["--store", "mysql:x"], /--store: "mysql:x" is not allowed; give sqlite:PATH or postgres:/],
  ] as const) {
    test(`a bad option is named with what is allowed, exit 2: ${args.join(" ")}`, async (t) => {
      await assertRefused(t, { args }, 2, line);
    });
  }

  test("a bad variable of the environment is named like a bad flag, exit 2", async (t) => {
    await assertRefused(
      t,
      { env: { SLUICE_MAX_SIGNALS: "1" } },
      2,
      /SLUICE_MAX_SIGNALS: "1" is not allowed; give a whole number from 2/,
    );
  });
});
