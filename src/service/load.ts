/** Loads a service module: a file whose default export was made by `defineService`. */
import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDefinedService, type ServiceDefinition } from "./define.ts";
import { placeOf } from "./error-place.ts";
import { loadHint, nearFile } from "./load-hints.ts";

/** What is wrong with a service module. */
export type ServiceLoadFault = "unreadable" | "throws" | "no-default-export" | "not-a-service";

/** A service module that can't be used. Its message names the module and what to do; `cause` is what it threw. */
export class ServiceLoadError extends Error {
  readonly code = "SLUICE_SERVICE_LOAD";
  override readonly name = "ServiceLoadError";
  /** The module's absolute path. */
  readonly module: string;
  readonly fault: ServiceLoadFault;

  constructor(module: string, fault: ServiceLoadFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.module = module;
    this.fault = fault;
  }
}

/**
 * Imports a service module and returns its checked definition.
 *
 * @param module a path (relative ones start at the working directory) or a file URL
 * @throws {ServiceLoadError} naming the module, and where it threw if it did
 */
export async function loadService(module: string): Promise<ServiceDefinition> {
  const path = module.startsWith("file:") ? fileURLToPath(module) : resolve(module);
  await checkReadable(path);
  const exports = await importModule(path);
  if (!("default" in exports)) {
    throw new ServiceLoadError(
      path,
      "no-default-export",
      `service module ${path} has no default export; it must say: export default defineService({ … })`,
    );
  }
  const definition = unwrapDefault(exports.default);
  if (!isDefinedService(definition)) {
    throw new ServiceLoadError(
      path,
      "not-a-service",
      `service module ${path}: its default export was not made by defineService({ … })`,
    );
  }
  return definition;
}

async function checkReadable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing
      ? `there is no such file${nearFile(path)}`
      : `it can't be read: ${(error as Error).message}`;
    throw new ServiceLoadError(path, "unreadable", `service module ${path}: ${why}`, error);
  }
  throw new ServiceLoadError(path, "unreadable", `service module ${path}: it is not a file`);
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const place = placeOf(error);
    const hint = loadHint(error, path);
    const where = place !== undefined ? ` (at ${place})` : hint === "" ? placeHintOf(error, path) : "";
    throw new ServiceLoadError(
      path,
      "throws",
      `service module ${path} throws while it loads: ${text}${where}${hint}`,
      error,
    );
  }
}

/** A CommonJS module that was compiled from `export default` holds the default one level down. */
function unwrapDefault(value: unknown): unknown {
  if (isDefinedService(value) || typeof value !== "object" || value === null) return value;
  return "__esModule" in value && "default" in value ? value.default : value;
}

/** Node tells the place of other syntax errors to nobody but the console, and `--check` does not read TypeScript. */
function placeHintOf(error: unknown, path: string): string {
  return error instanceof SyntaxError ? ` (to see where: node ${path})` : "";
}
