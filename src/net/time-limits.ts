/** The time limits of connections: predicates over facts and an injected time, no timers. */
import type { LiveConnection } from "./live-connection.ts";

/** In ms; undefined for no limit. */
export interface TimeLimits {
  /** How long a connection may stay without a call. */
  readonly idleTimeoutMs: number | undefined;
  /** How long the rest of a message may take to arrive. */
  readonly partialFrameTimeoutMs: number | undefined;
  /** How long replies may wait while their reader takes none of their bytes. */
  readonly writeTimeoutMs: number | undefined;
  /** When a connection is asked to leave, give or take the jitter. */
  readonly maxConnectionAgeMs: number | undefined;
}

/** Clients that came together are not to come again together: each has a limit of its own, so much around the mean. */
const ageJitter = 0.1;

/** When a connection that was accepted at `acceptedAtMs` is too old. `random` is in [0, 1). */
export function leavesAtMs({ maxConnectionAgeMs }: TimeLimits, acceptedAtMs: number, random: number): number {
  if (maxConnectionAgeMs === undefined) return Number.POSITIVE_INFINITY;
  return acceptedAtMs + maxConnectionAgeMs * (1 + ageJitter * (2 * random - 1));
}

/** Why one that is open is to end: it was idle for too long, or its message has not become whole in time. */
export function overdueBy(
  connection: LiveConnection,
  limits: TimeLimits,
  nowMs: number,
): "idleTimeout" | "partialFrameTimeout" | undefined {
  const { partialSinceMs, lastActivityAtMs, inFlight } = connection;
  if (inFlight > 0) return undefined;
  const { idleTimeoutMs, partialFrameTimeoutMs } = limits;
  if (partialFrameTimeoutMs !== undefined && partialSinceMs > 0) {
    return nowMs - partialSinceMs > partialFrameTimeoutMs ? "partialFrameTimeout" : undefined;
  }
  if (idleTimeoutMs === undefined || nowMs - lastActivityAtMs <= idleTimeoutMs) return undefined;
  return "idleTimeout";
}

/** Watches whether a peer takes what is written to it. Progress is any byte, so that slow readers are no idle ones. */
export class ReadingWatch {
  #unreadBytes = 0;
  #sinceMs = 0;

  /** Takes note of how much is unread now. Returns for how long nothing of it was taken, in ms. */
  note(unreadBytes: number, nowMs: number): number {
    if (unreadBytes === 0 || this.#unreadBytes === 0 || unreadBytes < this.#unreadBytes)
      this.#sinceMs = nowMs;
    this.#unreadBytes = unreadBytes;
    return nowMs - this.#sinceMs;
  }
}
