/** The Docker engine and Compose as the tests use them. */
import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The repository's root, where Dockerfile and docker-compose.yml are. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Building the stand-in for the base image takes about a minute, installing packages another. */
const longestMs = 300_000;

/**
 * Why there is no engine or no Compose, or false when both are there. To be given to `skip`: with
 * `SLUICE_REQUIRE_PEERS=1` nothing is skipped, and what is missing fails.
 */
export function engineMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1") return false;
  if (spawnSync("docker", ["info"]).status !== 0) return "no Docker engine runs here";
  return composeCommand() === undefined ? "there is no docker compose and no docker-compose" : false;
}

/** Runs `docker`. @returns what it said on stdout, trimmed */
export async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args, { timeout: longestMs })).stdout.trim();
}

/** Runs Compose, version 2 or 1. @returns what it said on stdout, trimmed */
export async function compose(environment: Record<string, string>, ...args: string[]): Promise<string> {
  const [file, ...first] = composeCommand() ?? ["docker-compose"];
  const options = { cwd: root, env: { ...process.env, ...environment }, timeout: longestMs };
  return (await run(file!, [...first, ...args], options)).stdout.trim();
}

function composeCommand(): string[] | undefined {
  const known = [["docker", "compose"], ["docker-compose"]];
  return known.find(([file, ...first]) => spawnSync(file!, [...first, "version"]).status === 0);
}

/** Sees to the image that the Dockerfile begins with: local, else pulled, else the stand-in. */
export async function provideBaseImage(name: string): Promise<void> {
  const there = async (...args: string[]): Promise<boolean> =>
    docker(...args).then(
      () => true,
      () => false,
    );
  if (await there("image", "inspect", name)) return;
  if (await there("pull", name)) return;
  await run(fileURLToPath(new URL("build-base.sh", import.meta.url)), { timeout: longestMs });
}
