/** Lines that strangers can provoke as often as they like: of each kind so many per interval, and a count of the others. */
import type { LogFields } from "./log.ts";

type Write = (level: "info" | "warn", message: string, fields: LogFields) => void;

export interface RateLimitOptions {
  /** Lines of one kind per interval. */
  readonly burst: number;
  readonly intervalMs: number;
  readonly now: () => number;
}

/**
 * Wraps a log: of lines with the same message and `kind` the first ones of an interval are written; the next one that
 * is written says in `left_out` how many were not. Counters have them all.
 */
export function limitRate(write: Write, { burst, intervalMs, now }: RateLimitOptions): Write {
  const kinds = new Map<string, { sinceMs: number; seen: number }>();
  return (level, message, fields) => {
    const key = `${message} ${String(fields["kind"])}`;
    const nowMs = now();
    const interval = kinds.get(key);
    if (interval !== undefined && nowMs - interval.sinceMs < intervalMs) {
      if (++interval.seen <= burst) write(level, message, fields);
      return;
    }
    const leftOut = interval === undefined ? 0 : Math.max(0, interval.seen - burst);
    kinds.set(key, { sinceMs: nowMs, seen: 1 });
    write(level, message, leftOut === 0 ? fields : { ...fields, left_out: leftOut });
  };
}
