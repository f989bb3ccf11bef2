/** Builds the contestants of other languages, and the load generator, into bench/build. */
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Processes } from "../measure/processes.ts";

export const benchFolder: string = join(import.meta.dirname, "..");
export const buildFolder: string = join(benchFolder, "build");
export const idlFile: string = join(benchFolder, "idl", "bench.thrift");

const buildTimeoutMs = 300_000;

export interface Build {
  /** Programs that must be on the PATH. */
  readonly tools: readonly string[];
  /** The folder in which the commands put things; made when missing. */
  readonly folder: string;
  /** What comes out. When it is newer than all of `sources`, nothing is done. */
  readonly output: string;
  readonly sources: readonly string[];
  readonly commands: readonly (readonly [file: string, ...args: string[]])[];
}

/** Runs a build unless it is up to date. Returns why it could not be done, or undefined. */
export async function build(
  processes: Processes,
  { tools, folder, output, sources, commands }: Build,
): Promise<string | undefined> {
  if (isNewer(output, sources)) return undefined;
  const missing = tools.filter((tool) => !isOnPath(tool));
  if (missing.length > 0) return `${missing.join(", ")} not found`;
  mkdirSync(folder, { recursive: true });
  for (const [file, ...args] of commands) {
    try {
      await processes.run({ file, args }, buildTimeoutMs);
    } catch (error) {
      return `build failed: ${firstError((error as Error).message)}`;
    }
  }
  return undefined;
}

/** Whether a program can be found. */
export function isOnPath(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => isExecutable(join(folder, tool)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isNewer(output: string, sources: readonly string[]): boolean {
  try {
    const built = statSync(output).mtimeMs;
    return sources.every((source) => statSync(source).mtimeMs <= built);
  } catch {
    return false;
  }
}

function firstError(text: string): string {
  const lines = text.split("\n");
  return (lines.find((line) => /error|No module|cannot find/i.test(line)) ?? lines.at(-1) ?? text).slice(
    0,
    200,
  );
}
