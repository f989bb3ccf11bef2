/** Builds the programs of other languages into build/interop, once for each state of their sources. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** The checkout. */
export const root: string = join(import.meta.dirname, "../..");
export const buildRoot: string = join(root, "build", "interop");

const run = promisify(execFile);
/** A compiler that takes longer is stuck. */
const longestBuildMs = 180_000;

/** How a program is made. */
export interface Recipe {
  /** Its folder's name. */
  readonly name: string;
  /** Files that decide what comes out, beside the commands. */
  readonly sources: readonly string[];
  /** Command lines, run in order in the folder that they fill. */
  readonly commands: readonly (readonly [file: string, ...args: string[]])[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Builds a program unless it is there. Returns its folder. @throws with what the compiler said */
export async function build({ name, sources, commands, env = {} }: Recipe): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([commands, env]));
  for (const source of sources) hash.update(readFileSync(source));
  const folder = join(buildRoot, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  for (const other of existsSync(buildRoot) ? readdirSync(buildRoot) : []) {
    // Of other sources, from before.
    if (other.startsWith(`${name}-`) && !other.includes("."))
      rmSync(join(buildRoot, other), { recursive: true });
  }
  // Two runs at a time build twice; the folder appears whole.
  const making = `${folder}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  for (const [file, ...args] of commands) {
    const options = { cwd: making, timeout: longestBuildMs, env: { ...process.env, ...env } };
    try {
      await run(file, args, options);
    } catch (error) {
      rmSync(making, { recursive: true, force: true });
      throw new Error(`${file} could not build ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  try {
    renameSync(making, folder);
  } catch {
    // Another run was first.
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}
