import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createLogger } from "../../../src/log/create-logger.ts";
import { prettyLine, prettySummary } from "../../../src/log/pretty.ts";

const childPath = fileURLToPath(new URL("./chatty-child.ts", import.meta.url));

interface ChildReport {
  readonly longestTurnMs: number;
  readonly dropped: number;
  readonly logged: number;
  readonly flushedAtOnce: boolean;
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function logTo(t: TestContext): { fd: number; lines: () => Record<string, unknown>[] } {
  const path = join(temporaryFolder(t), "log");
  const fd = openSync(path, "w");
  t.after(() => closeSync(fd));
  const lines = (): Record<string, unknown>[] =>
    readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  return { fd, lines };
}

/** A child that fails to write its last line would be waited for without end. */
const limited = { timeout: 30_000 };

function startChild(t: TestContext, stdout: "pipe" | number): ChildProcess {
  const child = spawn(process.execPath, [childPath], { stdio: ["ignore", stdout, "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** The lines of a stream, one per call. */
function linesOf(stream: NodeJS.ReadableStream): () => Promise<string> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async () => (await lines.next()).value ?? assert.fail("the stream ended");
}

async function readAll(child: ChildProcess, stdout: NodeJS.ReadableStream): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    lines.push(line);
    if (line.includes('"msg":"stopped"')) {
      break;
    }
  }
  await once(child, "exit");
  return lines;
}

/** What must hold of a child whose reader stood still and then read all. */
function checkStalled(report: ChildReport, lines: string[]): void {
  assert.equal(report.flushedAtOnce, false, "the reader did stand still");
  assert.ok(report.longestTurnMs < 500, `the event loop stood still for ${report.longestTurnMs} ms`);
  assert.ok(report.dropped > 0);
  const parsed = lines.map((line) => JSON.parse(line) as { msg: string; dropped?: number });
  const chatter = parsed.filter(({ msg }) => msg === "chatter").length;
  const told = parsed.reduce(
    (sum, { msg, dropped }) => sum + (/^log lines dropped/.test(msg) ? dropped! : 0),
    0,
  );
  assert.equal(told, report.dropped, "each drop is told");
  assert.equal(chatter + told, report.logged, "each line is written or counted");
  assert.equal(parsed[0]!.msg, "listening");
  assert.equal(parsed.at(-1)!.msg, "stopped");
}

describe("the log, when its reader stands still,", () => {
  test(
    "never stalls the event loop, drops and counts, keeps the contract's lines (socket)",
    limited,
    async (t) => {
      const child = startChild(t, "pipe");
      const stderr = linesOf(child.stderr!);
      const report = JSON.parse(await stderr()) as ChildReport;
      const lines = await readAll(child, child.stdout!);
      checkStalled(report, lines);
      assert.deepEqual(JSON.parse(await stderr()), { flushed: true });
      assert.equal(child.exitCode, 0);
    },
  );

  test("the same with a pipe", { ...limited, skip: process.platform === "win32" }, async (t) => {
    const path = join(temporaryFolder(t), "fifo");
    execFileSync("mkfifo", [path]);
    // Opened for both, so that neither side waits for the other to open it.
    const both = openSync(path, "r+");
    t.after(() => closeSync(both));
    const child = startChild(t, both);
    const stderr = linesOf(child.stderr!);
    const report = JSON.parse(await stderr()) as ChildReport;
    const reader = createReadStream(path);
    t.after(() => reader.destroy());
    const lines = await readAll(child, reader);
    checkStalled(report, lines);
  });

  test("a reader that closes its end does not crash the process", limited, async (t) => {
    const child = startChild(t, "pipe");
    child.stdout!.destroy();
    const stderr = linesOf(child.stderr!);
    const report = JSON.parse(await stderr()) as ChildReport;
    assert.ok(report.dropped > 0);
    const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
    assert.equal(code, 0);
  });
});

describe("a log line", () => {
  test("is one JSON object with level, time, message and fields at its top level", async (t) => {
    const { fd, lines } = logTo(t);
    const log = createLogger({ fd });
    log.warn("connection refused", { reason: "limit", count: 3n, error: new Error("why") });
    assert.equal(await log.flush(1000), true);
    const [line] = lines();
    assert.equal(line!["level"], "warn");
    assert.equal(line!["msg"], "connection refused");
    assert.equal(line!["reason"], "limit");
    assert.equal(line!["count"], 3);
    assert.equal((line!["error"] as { message: string }).message, "why");
    assert.ok(!Number.isNaN(Date.parse(line!["time"] as string)));
  });

  test("is left out below the level, unless it belongs to the contract", async (t) => {
    const { fd, lines } = logTo(t);
    const log = createLogger({ fd, level: "error" });
    log.info("not this");
    log.contract("listening", { port: 1 });
    log.error("this");
    await log.flush(1000);
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ["listening", "this"],
    );
  });

  test("keeps its own fields apart from a caller's of the same name", async (t) => {
    const { fd, lines } = logTo(t);
    const log = createLogger({ fd });
    log.info("mine", { msg: "theirs", level: "theirs" });
    await log.flush(1000);
    const [line] = lines();
    assert.equal(line!["msg"], "mine");
    assert.equal(line!["msg_"], "theirs");
    assert.equal(line!["level"], "info");
  });
});

describe("a line for a terminal", () => {
  const time = new Date(2026, 0, 2, 3, 4, 5, 6);

  test("is short and shows its fields", () => {
    assert.equal(
      prettyLine(time, "info", "listening", { host: "127.0.0.1", port: 9090, socket: undefined }),
      "03:04:05.006 info  listening host=127.0.0.1 port=9090\n",
    );
  });

  test("has a summary in place of the fields, which stay those of JSON", async (t) => {
    const { fd, lines } = logTo(t);
    const summary = ["clean after 0.1 s (\u001b[2J)", "calls  received 1"];
    const json = createLogger({ fd });
    json.contract("stopped", { outcome: "clean" }, summary);
    await json.flush(1000);
    assert.deepEqual([lines()[0]!["msg"], lines()[0]!["outcome"]], ["stopped", "clean"]);
    assert.equal(
      prettySummary(time, "info", "stopped", summary),
      "03:04:05.006 info  stopped: clean after 0.1 s (\\u001b[2J)\n  calls  received 1\n",
    );
  });

  test("does not let a client steer the terminal", () => {
    const line = prettyLine(time, "warn", "unknown method", { method: "\u001b[2J", other: "a\u009bb\nc" });
    assert.equal(/\p{Cc}/u.test(line.trimEnd()), false, JSON.stringify(line));
  });
});
