/** Lines that strangers can provoke as often as they like: of each kind one per interval, with a count of the others. */
import type { LogFields } from "./log.ts";

type Write = (level: "info" | "warn", message: string, fields: LogFields) => void;

export interface RateLimitOptions {
  /** Between two lines of one kind, in ms. */
  readonly intervalMs: number;
  readonly now: () => number;
}

/**
 * Wraps a log: of lines with the same message and `kind` the first is written at once, then one per interval; the next
 * one that is written says in `left_out` how many were not. Counters have them all.
 */
export function limitRate(write: Write, { intervalMs, now }: RateLimitOptions): Write {
  const kinds = new Map<string, { writtenAtMs: number; leftOut: number }>();
  return (level, message, fields) => {
    const key = `${message} ${String(fields["kind"])}`;
    const known = kinds.get(key);
    const nowMs = now();
    if (known === undefined) {
      kinds.set(key, { writtenAtMs: nowMs, leftOut: 0 });
      write(level, message, fields);
    } else if (nowMs - known.writtenAtMs < intervalMs) known.leftOut++;
    else {
      const { leftOut } = known;
      kinds.set(key, { writtenAtMs: nowMs, leftOut: 0 });
      write(level, message, leftOut === 0 ? fields : { ...fields, left_out: leftOut });
    }
  };
}
