import { closeSync, openSync } from "node:fs";

/**
 * Whether this process has a controlling terminal: then SIGHUP says that the terminal was closed. `isTTY` would
 * not do, for a service whose output goes to a file still belongs to its terminal. Always false on Windows.
 */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
