/** The package as its users have it: packed, and installed in a folder of theirs. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./server-process.ts";

const root: string = fileURLToPath(new URL("../../", import.meta.url));
const tools: string = join(root, "tools/package/node_modules");

let packed: string | undefined;

/**
 * The packed package: what `SLUICE_TARBALL` names, as `make package` has it, else it is packed now; then let no other
 * test do the same, for packing builds dist/ anew.
 */
export function tarball(): string {
  packed ??= process.env["SLUICE_TARBALL"] ?? pack();
  return packed;
}

function pack(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-packed-"));
  process.on("exit", () => execFileSync("rm", ["-r", folder]));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root, stdio: "pipe" });
  return join(folder, readdirSync(folder)[0]!);
}

/** Why nothing can be installed here, or false; never a reason with `SLUICE_REQUIRE_PEERS=1`. To be given to `skip`. */
export function registryMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1") return false;
  try {
    execFileSync("npm", ["view", "thrift", "version"], { stdio: "ignore", timeout: 20_000 });
    return false;
  } catch {
    return "no npm registry can be reached, from which the package's dependencies come";
  }
}

/** The environment of a user's commands: none of this run's options, and a Node.js that comes first in PATH. */
export function userEnv(node: string = process.execPath, first: readonly string[] = []): NodeJS.ProcessEnv {
  const own = /^(npm_|NODE_|SLUICE_|MAKE|MFLAGS)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  const others = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.startsWith(root));
  return {
    ...env,
    PATH: [...first, dirname(node), ...others].join(delimiter),
    npm_config_yes: "true",
    npm_config_prefer_offline: "true",
    npm_config_update_notifier: "false",
  };
}

/** A project with the packed package and others installed. @returns its folder */
export function installed(t: TestContext, packages: readonly string[] = []): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const argv = ["install", "--no-audit", "--no-fund", tarball(), ...packages];
  execFileSync("npm", argv, { cwd: folder, env: userEnv(), stdio: "pipe", timeout: 120_000 });
  return folder;
}

/** A program of `tools/package`, or undefined where those packages are not installed. */
export function packageTool(path: string): string | undefined {
  const file = join(tools, path);
  return existsSync(file) ? file : undefined;
}
