/** Loads the service module that a command line names. */
import type { ServiceDefinition } from "../service/define.ts";
import { loadService, ServiceLoadError } from "../service/load.ts";
import { registerSelfResolution } from "../service/self-resolution.ts";
import { UsageError } from "./command.ts";
import { modulePath } from "./module-path.ts";

/**
 * Loads it.
 *
 * @param usage how the command is written; the advice when a word was given that looks like no file
 * @throws {UsageError} when it can't be loaded
 */
export async function loadNamedService(module: string, usage: string): Promise<ServiceDefinition> {
  registerSelfResolution();
  try {
    return await loadService(modulePath(module));
  } catch (error) {
    if (!(error instanceof ServiceLoadError)) throw error;
    const forgotten = error.fault === "unreadable" && /^\w+$/.test(module);
    throw new UsageError(`${error.message}${forgotten ? `; write: ${usage}` : ""}`, { cause: error });
  }
}
