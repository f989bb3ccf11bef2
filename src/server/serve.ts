/** `serve()`, the entry for programs. */
import type { ServeOptions } from "../config/serve-options.ts";
import type { Server } from "./server.ts";

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
export async function serve(
  modules: string | readonly string[],
  options: ServeOptions = {},
): Promise<Server> {
  // Service modules import this package too, in every worker, where nothing of the server is needed.
  const { serveInSuccession } = await import("./serve-in-succession.ts");
  return serveInSuccession(modules, options, {});
}
