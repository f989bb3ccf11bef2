/** `serve()`: the one entry for programs and for the command line. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, resolveConfig } from "../config/config.ts";
import type { ServeOptions } from "../config/serve-options.ts";
import { createSystemClock } from "../lifecycle/clock.ts";
import { createLogger } from "../log/create-logger.ts";
import { Server } from "./server.ts";
import type { Succession } from "./succession.ts";

/**
 * Serves one or several service modules.
 *
 * @param modules paths (relative ones from the working directory) or file URLs; the first module's service also
 *   answers clients that are not multiplexed
 * @param options see there; what is left out comes from the environment, then from the defaults
 * @returns once the server listens, or, when a stop was asked for during the start, once it has stopped
 * @throws {OptionError} when an option is unknown or out of range
 * @throws what kept the server from starting: the error's message names it; everything is closed again
 */
export function serve(modules: string | readonly string[], options: ServeOptions = {}): Promise<Server> {
  return serveInSuccession(modules, options, {});
}

/** `serve()` for a process that can replace another one, or be replaced. */
export async function serveInSuccession(
  modules: string | readonly string[],
  options: ServeOptions,
  succession: Succession,
): Promise<Server> {
  const config: Config = resolveConfig(options, { env: process.env });
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  const paths = [modules]
    .flat()
    .map((module) => (module.startsWith("file:") ? fileURLToPath(module) : resolve(module)));
  const server = new Server(paths, config, log, createSystemClock(), succession);
  await server.start();
  return server;
}
