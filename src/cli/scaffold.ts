/** Writes the folder of a new service from the templates. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { PackageSource } from "./own-package.ts";
import type { ServiceNames } from "./service-names.ts";

/** The templates are files as the user gets them, but for these names and the leading `_` of some. */
const templates: string = fileURLToPath(new URL("../../templates/service/", import.meta.url));

/** The package could not be packed. */
export class PackError extends Error {
  readonly code = "SLUICE_PACK";
  override readonly name = "PackError";
}

/**
 * Writes everything.
 *
 * @param folder is there and empty
 * @throws {PackError}
 */
export function writeService(folder: string, names: ServiceNames, source: PackageSource): void {
  const spec = source.kind === "spec" ? source.spec : `file:vendor/${bringPackage(folder, source)}`;
  const fill = (text: string): string =>
    text
      .replaceAll("ServiceName", names.service)
      .replaceAll("service_name", names.file)
      .replaceAll("service-name", names.package)
      .replaceAll("PACKAGE_SPEC", () => JSON.stringify(spec).slice(1, -1));
  for (const entry of readdirSync(templates, { recursive: true, withFileTypes: true })) {
    const path = relative(templates, join(entry.parentPath, entry.name));
    // npm would leave out some of these files, or take them for its own, under their real names.
    const target = join(folder, fill(path.replace(/(^|[/\\])_/, "$1")).replace(/(git|docker)ignore$/, ".$&"));
    if (entry.isDirectory()) {
      mkdirSync(target, { recursive: true });
    } else {
      const text = fill(readFileSync(join(entry.parentPath, entry.name), "utf8"));
      mkdirSync(join(target, ".."), { recursive: true });
      writeFileSync(target, source.kind === "spec" ? text.replace("COPY vendor vendor\n", "") : text);
    }
  }
}

/** Puts the packed package into the folder, for what lies outside is neither in the image nor in the repository. */
function bringPackage(folder: string, source: Exclude<PackageSource, { kind: "spec" }>): string {
  const vendor = join(folder, "vendor");
  mkdirSync(vendor, { recursive: true });
  if (source.kind === "tarball") {
    copyFileSync(source.path, join(vendor, basename(source.path)));
    return basename(source.path);
  }
  const argv = ["pack", "--silent", "--pack-destination", vendor];
  if (source.kind === "installed") {
    // It is built; what would build it has stayed behind.
    argv.push("--ignore-scripts");
  }
  try {
    execFileSync("npm", argv, { cwd: source.path, encoding: "utf8", stdio: "pipe" });
  } catch (cause) {
    const told = (cause as { readonly stderr?: string }).stderr?.trim();
    throw new PackError(`can't pack ${source.path}: npm pack says: ${told || (cause as Error).message}`, {
      cause,
    });
  }
  return readdirSync(vendor)[0]!;
}
