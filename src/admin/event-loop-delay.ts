/** How late the main thread's event loop is: what every health check and every drain step waits for. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Node wakes up this often to measure; at 20 ms that is 0.2 % of a CPU at most. */
const RESOLUTION_MS = 20;

/** Delays since the last reading, in seconds. */
export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A running measurement. It does not keep the process alive. */
export interface EventLoopDelayMonitor {
  /** The delays since the last call, all zero when nothing was measured yet. */
  read(): EventLoopDelay;
  stop(): void;
}

/** Begins to measure. */
export function createEventLoopDelayMonitor(): EventLoopDelayMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    read(): EventLoopDelay {
      const delay = {
        p50: lateSeconds(histogram.percentile(50)),
        p99: lateSeconds(histogram.percentile(99)),
        max: lateSeconds(histogram.max),
      };
      histogram.reset();
      return delay;
    },
    stop: () => void histogram.disable(),
  };
}

/** Node records the whole time between two of its ticks, its own sampling interval included, and 511 ns for nothing. */
export function lateSeconds(tickNs: number): number {
  return Math.max(0, tickNs / 1e9 - RESOLUTION_MS / 1000);
}
