/** When one connection may be closed in a drain: a predicate over facts and an injected time, no timers. */

import type { StopSettings } from "./stop-plan.ts";

/** What a connection knows about itself. */
export interface ConnectionActivity {
  /**
   * When the connection was last not silent: a byte was read, a call settled, or the last of a reply was handed to
   * the kernel. For one that never did anything, when it was accepted.
   */
  readonly lastActivityAtMs: number;
  /** Some bytes of a message were read, but not all (a TLS handshake that has begun counts too). */
  readonly partialFrame: boolean;
  /** Messages that were read whole and not handed to a worker yet. */
  readonly undispatched: number;
  /** Calls that were handed to a worker and have no outcome yet; oneway calls too. */
  readonly inFlight: number;
  /** Bytes of replies that the kernel has not taken yet, held-back ones (request order) included. */
  readonly unwrittenBytes: number;
}

/** What to do with the connection. */
export type QuietDecision =
  /** Nothing yet. Ask again at `untilMs`, or when something happened on the connection, whichever is first. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** It was silent for `quiet`: half-close it. Nothing is owed on it. */
  | { readonly kind: "close" }
  /** It was never silent by `busyClose`: hand nothing more to workers; ask again when its in-flight is zero. */
  | { readonly kind: "stop-dispatching" }
  /** Nothing is in flight any more: refuse once each what was read whole, drop a partial frame, half-close. */
  | { readonly kind: "refuse-and-close" };

/**
 * The quiet rule.
 *
 * A connection is *silent* when no frame is partial, nothing waits for dispatch, no call is in flight, nothing is
 * left to write, and no byte is read. Silent for `quietMs` (time before the drain counts, so an idle connection goes
 * at once): close. Not so by `busyCloseMs` after the start of draining: no more dispatch, then refuse and close. A
 * partial frame so keeps its connection open until `busyCloseMs`, and no longer. Writes that are pending at a
 * `refuse-and-close` still leave, since half-closing comes behind them.
 *
 * After `busyCloseMs` the answer never goes back to `wait`: a connection that was told to stop dispatching stays so.
 */
export function decideQuiet(
  activity: ConnectionActivity,
  settings: Pick<StopSettings, "quietMs" | "busyCloseMs">,
  drainingSinceMs: number,
  nowMs: number,
): QuietDecision {
  const busyCloseAtMs = drainingSinceMs + settings.busyCloseMs;
  const quietAtMs = activity.lastActivityAtMs + settings.quietMs;
  const silent = isSilent(activity);
  if (silent && nowMs >= quietAtMs) return { kind: "close" };
  if (nowMs >= busyCloseAtMs) {
    return { kind: activity.inFlight > 0 ? "stop-dispatching" : "refuse-and-close" };
  }
  return { kind: "wait", untilMs: silent ? Math.min(quietAtMs, busyCloseAtMs) : busyCloseAtMs };
}

function isSilent(activity: ConnectionActivity): boolean {
  const { partialFrame, undispatched, inFlight, unwrittenBytes } = activity;
  return !partialFrame && undispatched === 0 && inFlight === 0 && unwrittenBytes === 0;
}
