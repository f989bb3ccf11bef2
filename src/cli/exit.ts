/** How the process ends: with its last lines written, its code told, and never hanging. */
import { flushLogs } from "../log/create-logger.ts";

/** The exit codes that are not those of a stop. */
export const exitCodes = {
  done: 0,
  failed: 1,
  badOption: 2,
  crashed: 70,
} as const;

/** How a command wants the process to end. */
export interface Ending {
  readonly code: number;
  /**
   * Whether threads may be left that can't be ended, because they sit in native code. `process.exit()` would wait
   * for them until a supervisor kills the process, and the exit code would be lost.
   */
  readonly threadsLeft: boolean;
  /** How long the last lines may take when their reader stands still, in ms. Default: 250. */
  readonly lastLinesMs?: number;
}

/** An ending without threads. */
export function endWith(code: number): Ending {
  return { code, threadsLeft: false };
}

const defaultLastLinesMs = 250;

/** Ends the process. */
export async function leave(ending: Ending): Promise<never> {
  const { code, threadsLeft, lastLinesMs = defaultLastLinesMs } = ending;
  const { stdout, stderr } = process;
  await Promise.all([flushLogs(lastLinesMs), flushed(stdout, lastLinesMs), flushed(stderr, lastLinesMs)]);
  if (threadsLeft) {
    replaceProcess(code);
  }
  process.exit(code);
}

function flushed(stream: NodeJS.WriteStream, withinMs: number): Promise<void> {
  if (stream.writableLength === 0) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs);
    stream.write("", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Replaces the process image by one that exits with the code. The kernel ends all threads in that moment, also
 * those in native code. Returns only where that is not possible (Windows).
 */
function replaceProcess(code: number): void {
  try {
    // Nothing of our environment: NODE_OPTIONS could load anything.
    process.execve?.(process.execPath, [process.execPath, "-e", `process.exit(${code})`], {});
  } catch {
    // Not possible here.
  }
}
