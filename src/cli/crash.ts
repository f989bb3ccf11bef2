/** What happens when the main thread itself fails: tell it and leave with code 70. */
import type { Log } from "../log/log.ts";
import { exitCodes, leave } from "./exit.ts";

/**
 * From now on an error that nobody caught ends the process with 70. Its state is unknown then: no drain is tried.
 * What was acknowledged is durable.
 */
export function leaveOnCrash(log: Log): void {
  let crashed = false;
  const crash = (error: unknown, kind: string): void => {
    if (crashed) {
      return;
    }
    crashed = true;
    log.error("the main thread crashed", {
      kind,
      error: error instanceof Error ? error : new Error(String(error)),
    });
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`sluice: the main thread crashed: ${text.replaceAll("\n", " ")}\n`);
    // Workers may be in any state, native code included.
    void leave({ code: exitCodes.crashed, threadsLeft: true });
  };
  process.on("uncaughtException", (error) => crash(error, "uncaughtException"));
  process.on("unhandledRejection", (reason) => crash(reason, "unhandledRejection"));
}
