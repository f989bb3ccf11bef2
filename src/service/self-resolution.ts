/**
 * Lets a service module import "thrift-sluice" and get this very copy.
 *
 * A package's own name resolves inside its own folder only. A module elsewhere (an example, a module next to a
 * globally installed `sluice`) would find another copy or none, and two copies are two module instances.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { extname } from "node:path";

const packageName = "thrift-sluice";

/** This package's folder: two levels above, in `src` as in `dist`. */
const packageFolder: URL = new URL("../../", import.meta.url);

/** Kept in a global symbol, for another copy of this module may run in the same thread. */
const registered: unique symbol = Symbol.for("thrift-sluice.self-resolution") as never;

/**
 * Maps `thrift-sluice` and its other entry points to this copy, for `import` and `require`, in this thread. To be
 * called in every thread before it loads a service module. Calling it again does nothing: the first copy stays.
 */
export function registerSelfResolution(): void {
  const scope = globalThis as { [registered]?: true };
  if (scope[registered]) {
    return;
  }
  scope[registered] = true;
  const entries = entryPoints();
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = entries.get(specifier);
      // Undefined for an entry point that does not exist: the usual resolution has the usual error.
      return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
    },
  });
}

/** Reads `exports` of package.json: from source its entries are the sources, else what is published. */
function entryPoints(): Map<string, string> {
  const fromSource = extname(import.meta.filename) === ".ts";
  const description = JSON.parse(readFileSync(new URL("package.json", packageFolder), "utf8")) as {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  const entries = new Map<string, string>();
  for (const [path, target] of Object.entries(description.exports)) {
    const file =
      typeof target === "string"
        ? target
        : ((fromSource ? target["sluice-source"] : undefined) ?? target["default"]);
    if (file !== undefined) {
      entries.set(packageName + path.slice(1), new URL(file, packageFolder).href);
    }
  }
  return entries;
}
