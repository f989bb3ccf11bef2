/** Starts `sluice serve` as a process of its own and tells how it lives and ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** A line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly LogLine[];
  /** The last line of the log: the drain report, when it came that far. */
  readonly last: LogLine;
  readonly stdout: string;
  readonly stderr: string;
  /** When it ended, as `performance.now()` counts. */
  readonly atMs: number;
}

export interface ServerOptions {
  /** Service modules; none for the reference ledger. `fixture()` gives their paths. */
  readonly modules?: readonly string[];
  /** Flags behind the usual ones (`--port 0 --admin-port 0 --workers 2` and a ledger in a folder of its own). */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** After this time it is stuck, and killed, in ms. Default: 60,000. */
  readonly lifeMs?: number;
  /** Leaves the usual `--store` away: it comes from the environment. */
  readonly withoutStore?: boolean;
  /** A command that the server is started by: it gets the server's own command line behind its words. */
  readonly wrapper?: readonly string[];
  /** Where relative paths begin; default: this process's folder. */
  readonly cwd?: string;
}

/** A server process. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Where Thrift clients connect. Known once it listens. */
  readonly port: number;
  readonly adminPort: number;
  readonly adminUrl: string;
  /** All lines of its log so far. */
  readonly lines: readonly LogLine[];
  readonly stderr: string;
  /** Resolves with the first line, past or to come, that fits; rejects when the process ends before. */
  line(fits: string | ((line: LogLine) => boolean)): Promise<LogLine>;
  /** Resolves when what it wrote to stderr matches; rejects when the process ends before. */
  told(pattern: RegExp): Promise<void>;
  /** Sends a signal and returns when, as `performance.now()` counts. */
  signal(signal?: NodeJS.Signals): number;
  /** Resolves when the process has ended and all it wrote was read. */
  readonly ended: Promise<Ended>;
}

/** After this time a process of a test is stuck: it is killed, and the test sees the signal SIGKILL. */
const longestLifeMs = 60_000;

/** The command's file. */
export const sluicePath: string = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

/** The path of a service module in `test/fixtures`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url));
}

/** An empty folder that is removed when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a server and returns when it listens. It is killed at the end of the test if it still runs. */
export async function startServer(t: TestContext, options: ServerOptions = {}): Promise<ServerProcess> {
  const server = spawnServer(t, options);
  await server.line("listening");
  return server;
}

/** Starts a server and returns at once: for starts that are slow, disturbed or bound to fail. */
export function spawnServer(t: TestContext, options: ServerOptions = {}): ServerProcess {
  const { modules = [], args = [], env = {} } = options;
  const store = `sqlite:${join(temporaryFolder(t), "ledger.db")}`;
  const usual = ["--port", "0", "--admin-port", "0", "--workers", "2"];
  if (options.withoutStore !== true) usual.push("--store", store);
  const argv = ["serve", ...usual, ...args, ...modules];
  return spawnSluice(t, argv, env, options.cwd, options.lifeMs, options.wrapper);
}

/** Runs any command of sluice; see `spawnServer` for servers. */
export function spawnSluice(
  t: TestContext,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
  lifeMs: number = longestLifeMs,
  wrapper: readonly string[] = [],
): ServerProcess {
  const line = [...wrapper, process.execPath, sluicePath, ...argv];
  return spawnProgram(t, line, { ...process.env, NODE_OPTIONS: "", ...env }, cwd, lifeMs);
}

/** Runs a program that may become a server. @param line the program and its arguments */
export function spawnProgram(
  t: TestContext,
  line: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
  lifeMs: number = longestLifeMs,
): ServerProcess {
  const [command, ...words] = line as [string, ...string[]];
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(command, words, { stdio, env, ...(cwd === undefined ? {} : { cwd }) });
  const server = new WatchedProcess(child, lifeMs);
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await server.ended;
  });
  return server;
}

class WatchedProcess implements ServerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly lines: LogLine[] = [];
  stderr = "";
  #stdout = "";
  #rest = "";
  #wakers: (() => void)[] = [];
  #over = false;

  constructor(child: ChildProcess, lifeMs: number) {
    this.child = child;
    child.stdout!.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.ended = this.#watch(lifeMs);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get port(): number {
    return this.#listening["port"] as number;
  }

  get adminPort(): number {
    return this.#listening["adminPort"] as number;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.adminPort}`;
  }

  async line(fits: string | ((line: LogLine) => boolean)): Promise<LogLine> {
    const test = typeof fits === "string" ? (line: LogLine) => line["msg"] === fits : fits;
    for (let next = 0; ; ) {
      for (; next < this.lines.length; next++) if (test(this.lines[next]!)) return this.lines[next]!;
      if (this.#over) throw new Error(`the process ended without the line ${fits}:\n${this.#told()}`);
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }

  async told(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) {
      if (this.#over) throw new Error(`the process ended without telling ${pattern}:\n${this.#told()}`);
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }

  signal(signal: NodeJS.Signals = "SIGTERM"): number {
    const atMs = performance.now();
    this.child.kill(signal);
    return atMs;
  }

  get #listening(): LogLine {
    const line = this.lines.find(({ msg }) => msg === "listening");
    if (line === undefined) throw new Error(`the server does not listen:\n${this.#told()}`);
    return line;
  }

  #read(text: string): void {
    this.#stdout += text;
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop()!;
    for (const part of parts) this.lines.push(parse(part));
    this.#wake();
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }

  async #watch(lifeMs: number): Promise<Ended> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), lifeMs);
    let atMs = 0;
    this.child.once("exit", () => {
      atMs = performance.now();
    });
    const [code, signal] = (await once(this.child, "close")) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    if (this.#rest !== "") this.lines.push(parse(this.#rest));
    this.#over = true;
    this.#wake();
    return {
      code,
      signal,
      lines: this.lines,
      last: this.lines.at(-1) ?? {},
      stdout: this.#stdout,
      stderr: this.stderr,
      atMs,
    };
  }

  #told(): string {
    return [...this.lines.slice(-20).map((line) => JSON.stringify(line)), this.stderr].join("\n");
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { unparsed: text };
  }
}
