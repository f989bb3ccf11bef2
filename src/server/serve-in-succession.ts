/** Makes a server and starts it: what `serve()` and the command line do. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, resolveConfig } from "../config/config.ts";
import type { ServeOptions } from "../config/serve-options.ts";
import { createSystemClock } from "../lifecycle/clock.ts";
import { createLogger } from "../log/create-logger.ts";
import { Server } from "./server.ts";
import type { Succession } from "./succession.ts";

/**
 * Serves in a process that can replace another one, or be replaced.
 *
 * @throws as `serve()`
 */
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
