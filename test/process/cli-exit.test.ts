import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const sluicePath = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs node to its end; kills it when that takes too long. */
async function node(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"], env });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text) => err.push(text));
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  return { code, signal, out: out.join(""), err: err.join("") };
}

function sluice(...argv: string[]): Promise<Ended> {
  return node([sluicePath, ...argv]);
}

function fixture(name: string, ...argv: string[]): Promise<Ended> {
  return node([fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)), ...argv]);
}

function lastLine(out: string): Record<string, unknown> {
  return JSON.parse(out.trimEnd().split("\n").at(-1)!);
}

describe("the command line", () => {
  test("tells its version and its commands", async () => {
    assert.match((await sluice("--version")).out, /^\d+\.\d+\.\d+\n$/);
    const { code, out, err } = await sluice("--help");
    assert.deepEqual([code, err], [0, ""]);
    for (const command of ["serve", "call", "status", "drain"]) {
      assert.match(out, new RegExp(`^ {2}sluice ${command}`, "m"));
    }
  });

  test("lists the options of a command with unit and default", async () => {
    for (const argv of [
      ["help", "serve"],
      ["serve", "--help"],
    ]) {
      const { code, out } = await sluice(...argv);
      assert.equal(code, 0);
      assert.match(out, /--grace DURATION .*\[9s\]/);
      assert.match(out, /SLUICE_ADMIN_HOST/);
    }
  });

  for (const [argv, line] of [
    [["serve", "--port", "99999"], '--port: "99999" is not allowed; give a whole number from 0 to 65535'],
    [["serve", "--prot", "1"], "--prot: no such option; did you mean --port?"],
    [["status", "--interval"], /^--interval: a value is missing; give a duration from/],
    [["sevre"], "there is no command sevre; did you mean serve?"],
    [["help", "sevre"], "there is no command sevre; did you mean serve?"],
    [["drain", "now"], 'sluice drain takes no arguments; got "now"'],
    [["call"], /^which service\?/],
  ] as const) {
    test(`a mistake is one line on stderr and code 2: sluice ${argv.join(" ")}`, async () => {
      const { code, out, err } = await sluice(...argv);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(err, /^sluice: [^\n]+\n$/);
      const told = err.slice("sluice: ".length, -1);
      if (typeof line === "string") {
        assert.equal(told, line);
      } else {
        assert.match(told, line);
      }
    });
  }

  test("a bad variable of the environment is named, with code 2", async () => {
    const { code, err } = await node([sluicePath, "serve"], { ...process.env, SLUICE_GRACE: "1s" });
    assert.equal(code, 2);
    assert.match(err, /^sluice: SLUICE_GRACE: 1s is not allowed; it must be more than --lame-duck \(0s\)/);
  });

  test("an old Node is told which one is needed and how to get it", async () => {
    const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})`;
    const { code, err } = await node([
      "--import",
      `data:text/javascript,${encodeURIComponent(pretend)}`,
      sluicePath,
      "serve",
    ]);
    assert.equal(code, 1);
    assert.match(err, /needs Node.js 24 or newer; this is 20\.1\.0/);
    assert.match(err, /npx thrift-sluice/);
  });
});

describe("the end of the process", { skip: process.platform === "win32" }, () => {
  test("keeps its code and its last line when a thread sits in native code", async () => {
    const { code, signal, out, err } = await fixture("leave-with-stuck-thread.ts");
    assert.deepEqual([code, signal], [3, null]);
    assert.equal(lastLine(out)["msg"], "stopped");
    assert.equal(err, "", "no warning about how it is done");
  });

  for (const kind of ["exception", "rejection"]) {
    test(`after an uncaught ${kind} on the main thread: code 70, told on stdout and stderr`, async () => {
      const { code, out, err } = await fixture("crash.ts", kind);
      assert.equal(code, 70);
      assert.equal(lastLine(out)["msg"], "the main thread crashed");
      assert.match(err, /^sluice: the main thread crashed: a bug in two lines\n$/);
    });
  }
});

test("a signal that comes before the server listens for it is handed over", {
  skip: process.platform === "win32",
}, async () => {
  const { code, out } = await fixture("early-signal.mjs");
  assert.equal(code, 0);
  assert.equal(out, "handed over SIGTERM\nlisteners 1 0\n");
});
