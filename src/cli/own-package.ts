/** Where this copy of the package comes from, so that a new service can depend on the same. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** How a new service gets the package. */
export type PackageSource =
  /** npm finds it by what stands in package.json: a version, a URL. */
  | { readonly kind: "spec"; readonly spec: string }
  /** A packed package, which has to come along. */
  | { readonly kind: "tarball"; readonly path: string }
  /** A folder that has to be packed first: with the sources, or as it was installed. */
  | { readonly kind: "checkout" | "installed"; readonly path: string };

const packageFolder: string = fileURLToPath(new URL("../../", import.meta.url));

/** What was packed, by its name. */
const packed = /\.(tgz|tar\.gz)$/;

/** Reads what a user wrote behind `--package`. @returns undefined when it names a file or folder that is not there */
export function givenSource(text: string): PackageSource | undefined {
  const path = resolve(text.replace(/^file:/, ""));
  if (existsSync(path)) {
    return statSync(path).isDirectory() ? { kind: "checkout", path } : { kind: "tarball", path };
  }
  const remote = /^[a-z+]+:\/\//.test(text);
  const local = !remote && (/^(file:|\.{0,2}\/)/.test(text) || packed.test(text));
  return local ? undefined : { kind: "spec", spec: text };
}

/** How this very copy was installed. Of one that nobody knows this of (`npm install --global`) the copy is packed. */
export function ownSource(): PackageSource {
  if (extname(import.meta.filename) === ".ts") {
    return { kind: "checkout", path: packageFolder };
  }
  const installed = { kind: "installed", path: packageFolder } as const;
  const { name, version } = JSON.parse(readFileSync(resolve(packageFolder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
  };
  const record = recordOf(resolve(packageFolder, ".."), name);
  if (record === undefined) {
    return installed;
  }
  const { resolved = "" } = record;
  if (resolved.startsWith("file:")) {
    const path = resolve(packageFolder, "../..", resolved.slice("file:".length));
    return existsSync(path) ? { kind: "tarball", path } : installed;
  }
  // npm need not write down where it is when it is in the registry.
  const inRegistry = resolved === "" || resolved.endsWith(`/-/${name}-${version}.tgz`);
  return { kind: "spec", spec: inRegistry ? `^${version}` : resolved };
}

/** What npm wrote down of a package beside it. */
function recordOf(nodeModules: string, name: string): { readonly resolved?: string } | undefined {
  try {
    const lock = JSON.parse(readFileSync(resolve(nodeModules, ".package-lock.json"), "utf8")) as {
      readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
    };
    return lock.packages?.[`node_modules/${name}`];
  } catch {
    return undefined;
  }
}
