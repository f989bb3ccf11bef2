/** The Python programs beside this file, which play a service manager's side. They need nothing but Python itself. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { LogLine } from "../../support/server-process.ts";

const interpreters: readonly string[] = ["/usr/bin/python3", "python3"];

const python: string | undefined = interpreters.find((file) => spawnSync(file, ["--version"]).status === 0);

/** Why tests that need these programs are skipped; false when they run. `SLUICE_REQUIRE_PEERS=1` runs them in any case. */
export const withoutPython: string | false =
  python === undefined && process.env["SLUICE_REQUIRE_PEERS"] !== "1" ? "there is no python3 here" : false;

/** A running program: lines of JSON come out. */
export interface PythonProgram {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far. */
  readonly lines: readonly LogLine[];
  /** Resolves with the first line, past or to come, that fits. Rejects when the program ends before. */
  line(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Closes its input and resolves with all that it printed, when it and all that it started have left. */
  end(): Promise<readonly LogLine[]>;
}

/** Starts one. It is ended with the test. */
export function startPython(t: TestContext, program: string, ...args: string[]): PythonProgram {
  const path = fileURLToPath(new URL(`${program}.py`, import.meta.url));
  const child = spawn(python ?? "python3", [path, ...args]);
  const lines: LogLine[] = [];
  let wakers: (() => void)[] = [];
  let over = false;
  let rest = "";
  const wake = (): void => {
    const waiting = wakers;
    wakers = [];
    for (const waker of waiting) waker();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) lines.push(JSON.parse(part) as LogLine);
    wake();
  });
  child.stderr.setEncoding("utf8").resume();
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => {
      over = true;
      wake();
      resolve();
    });
  });
  // At the end of its input a program ends what it has started; one that reads none is told by a signal.
  t.after(async () => {
    child.stdin.end();
    if (program === "notify_socket") child.kill("SIGKILL");
    await closed;
  });
  return {
    child,
    lines,
    async line(fits) {
      for (let next = 0; ; ) {
        for (; next < lines.length; next++) if (fits(lines[next]!)) return lines[next]!;
        if (over) throw new Error(`${program} ended before it told that: ${JSON.stringify(lines.slice(-5))}`);
        await new Promise<void>((resolve) => wakers.push(resolve));
      }
    },
    async end() {
      child.stdin.end();
      await closed;
      return lines;
    },
  };
}
