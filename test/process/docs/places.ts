/** The two folders in which documents are tried out. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "./code-blocks.ts";

/** A copy of the repository as git knows it, with the packages that are installed. */
export function makeCheckout(folder: string): void {
  const list = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root });
  for (const file of list.toString().split("\0").filter(Boolean)) {
    if (!existsSync(join(root, file))) continue;
    cpSync(join(root, file), join(folder, file), { force: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  // Else `make` would take the packages for older than what they were installed from.
  utimesSync(join(folder, "package-lock.json"), 0, 0);
}

/** An empty project with the package installed: npm puts what it depends on beside it. */
export function makeProject(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules")).filter((name) => !name.startsWith("."))) {
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  for (const name of readdirSync(join(root, "node_modules/.bin"))) {
    symlinkSync(join(root, "node_modules/.bin", name), join(modules, ".bin", name));
  }
  symlinkSync(root, join(modules, "thrift-sluice"));
  symlinkSync(join(root, "bin/sluice.js"), join(modules, ".bin/sluice"));
  const dependencies = { "thrift-sluice": "*" };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
}

/**
 * The reader's PATH: without this repository's own commands, but with `sluice`, and with the Python that Debian's
 * packages are for.
 */
export function makePath(folder: string): string {
  mkdirSync(folder);
  symlinkSync("/usr/bin/python3", join(folder, "python3"));
  const sluice = join(folder, "sluice");
  writeFileSync(sluice, `#!/bin/sh\nexec '${process.execPath}' '${join(root, "bin/sluice.js")}' "$@"\n`);
  chmodSync(sluice, 0o755);
  const paths = (process.env["PATH"] ?? "").split(delimiter);
  return [folder, ...paths.filter((path) => !path.endsWith("node_modules/.bin"))].join(delimiter);
}
