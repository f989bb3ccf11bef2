/** Starts processes, waits for what they say, and ends every one of them by its id. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended, and when (`performance.now()`). */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
}

/** A server that said `{"msg":"listening","port":…}` on its stdout. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** 0 for a server that has none. */
  readonly adminPort: number;
  /** From the spawn to the "listening" line, in ms. */
  readonly startMs: number;
  readonly exit: Promise<Exit>;
  /** Sends SIGTERM, and SIGKILL when the process is still there after `withinMs` (default 3,000). */
  stop(withinMs?: number): Promise<Exit>;
}

/** A process that did not do what was asked of it; the message holds the end of its stderr. */
export class ProcessError extends Error {
  readonly code = "BENCH_PROCESS";
}

export interface Processes {
  /** Starts a server and waits for its "listening" line, at most `withinMs` (default 30,000). */
  serve(command: Command, withinMs?: number): Promise<RunningServer>;
  /** Runs a command to its end and returns its stdout; at most `withinMs` long. */
  run(command: Command, withinMs: number): Promise<string>;
  /** Kills what is left, at once. Safe to call in an exit handler. */
  killAll(): void;
}

/** A registry of child processes: whatever happens, `killAll` knows which ids are left. */
export function createProcesses(): Processes {
  const living = new Set<ChildProcess>();

  function start(command: Command) {
    const child = spawn(command.file, command.args, {
      env: { ...process.env, ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    living.add(child);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-4000);
    });
    const exit = new Promise<Exit>((resolve, reject) => {
      child.once("error", (cause) => {
        living.delete(child);
        reject(new ProcessError(`${command.file} can't be started: ${cause.message}`, { cause }));
      });
      child.once("exit", (code, signal) => {
        living.delete(child);
        resolve({ code, signal, atMs: performance.now() });
      });
    });
    exit.catch(() => {});
    return { child, exit, failure: (what: string) => new ProcessError(`${what}\n${stderr}`.trim()) };
  }

  async function stop(child: ChildProcess, exit: Promise<Exit>, withinMs: number): Promise<Exit> {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), withinMs);
    return await exit.finally(() => clearTimeout(timer));
  }

  return {
    async serve(command, withinMs = 30_000) {
      const spawnedMs = performance.now();
      const { child, exit, failure } = start(command);
      const { port, adminPort } = await new Promise<Listening>((resolve, reject) => {
        const timer = setTimeout(() => {
          child.kill("SIGKILL");
          reject(failure(`did not listen within ${withinMs} ms`));
        }, withinMs);
        createInterface({ input: child.stdout! }).on("line", (line) => {
          const listening = listeningIn(line);
          if (listening === undefined) return;
          clearTimeout(timer);
          resolve(listening);
        });
        exit
          .then(
            ({ code, signal }) => reject(failure(`ended with ${code ?? signal} before it listened`)),
            reject,
          )
          .finally(() => clearTimeout(timer));
      });
      const startMs = performance.now() - spawnedMs;
      return {
        pid: child.pid!,
        port,
        adminPort,
        startMs,
        exit,
        stop: (within = 3000) => stop(child, exit, within),
      };
    },

    async run(command, withinMs) {
      const { child, exit, failure } = start(command);
      let stdout = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      const closed = new Promise((resolve) => child.once("close", resolve));
      const timer = setTimeout(() => child.kill("SIGKILL"), withinMs);
      const { code, signal } = await exit.finally(() => clearTimeout(timer));
      await closed;
      if (code !== 0) throw failure(`${command.file} ended with ${code ?? signal}`);
      return stdout;
    },

    killAll() {
      for (const child of living) child.kill("SIGKILL");
    },
  };
}

interface Listening {
  readonly port: number;
  readonly adminPort: number;
}

function listeningIn(line: string): Listening | undefined {
  if (!line.includes('"listening"')) return undefined;
  try {
    const { msg, port, adminPort } = JSON.parse(line) as Record<string, unknown>;
    if (msg !== "listening" || typeof port !== "number") return undefined;
    return { port, adminPort: typeof adminPort === "number" ? adminPort : 0 };
  } catch {
    return undefined;
  }
}
