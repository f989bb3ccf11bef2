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
  /** A folder with the sources, which have to be packed first. */
  | { readonly kind: "checkout"; readonly path: string };

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

/** How this very copy was installed. */
export function ownSource(): PackageSource {
  if (extname(import.meta.filename) === ".ts") {
    return { kind: "checkout", path: packageFolder };
  }
  const { name, version } = JSON.parse(readFileSync(resolve(packageFolder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
  };
  const resolved = resolvedBy(resolve(packageFolder, ".."), name);
  if (resolved?.startsWith("git+")) {
    return { kind: "spec", spec: resolved };
  }
  const tarball = resolved?.startsWith("file:")
    ? resolve(packageFolder, "../..", resolved.slice("file:".length))
    : undefined;
  return tarball !== undefined && existsSync(tarball)
    ? { kind: "tarball", path: tarball }
    : { kind: "spec", spec: `^${version}` };
}

/** What npm took a package from, as it wrote down beside it; undefined when nobody knows. */
function resolvedBy(nodeModules: string, name: string): string | undefined {
  try {
    const lock = JSON.parse(readFileSync(resolve(nodeModules, ".package-lock.json"), "utf8")) as {
      readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
    };
    return lock.packages?.[`node_modules/${name}`]?.resolved;
  } catch {
    return undefined;
  }
}
