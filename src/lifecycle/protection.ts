/**
 * How long a call may run on in a stop: `protect`, `renew`, `allowBreak`, and the cut. Plain numbers in and out,
 * because workers read them from shared memory. All times are readings of the one clock that all threads of the
 * process share (see `createSystemClock`).
 */

/** The times of a stop that decide over calls; each is Infinity while no stop is in progress. */
export interface CallTimes {
  /** Unprotected calls are told to end. */
  readonly noticeAtMs: number;
  /** Unprotected calls are cut. */
  readonly callsEndAtMs: number;
  /** Protected calls are cut as well. */
  readonly lastCallAtMs: number;
  /** How long a call has between its notice and its cut. A duration. */
  readonly abortNoticeMs: number;
}

/** `CallTimes` while no stop is in progress. */
export const NO_STOP: CallTimes = {
  noticeAtMs: Number.POSITIVE_INFINITY,
  callsEndAtMs: Number.POSITIVE_INFINITY,
  lastCallAtMs: Number.POSITIVE_INFINITY,
  abortNoticeMs: 0,
};

/** What a call asks for by `protect` or `renew`. */
export interface ProtectionRequest {
  readonly nowMs: number;
  /** How long from now on. */
  readonly ms: number;
  /** `grace − reserve`: the most that any call can get, because a stop may begin right after it asked. */
  readonly longestMs: number;
  /** Of the stop in progress; Infinity when there is none. */
  readonly lastCallAtMs: number;
}

/** More protection was asked for than can be granted. The call goes on as it was, with what it had before. */
export class ProtectionDeniedError extends Error {
  override readonly name = "ProtectionDeniedError";
  /** For programs; the message is for people. */
  readonly code = "SLUICE_PROTECTION_DENIED";
  /** What `protect` or `renew` was called with, in ms. */
  readonly askedMs: number;
  /** The most that would have been granted at that moment, in whole ms, rounded down. */
  readonly grantableMs: number;

  constructor(askedMs: number, grantableMs: number, message: string) {
    super(message);
    this.askedMs = askedMs;
    this.grantableMs = grantableMs;
  }
}

/**
 * Grants a protected section, or prolongs one: both count from now. What is granted while no stop is in progress
 * holds in a stop that begins later, because no stop lets calls end before `grace − reserve`.
 *
 * @throws ProtectionDeniedError when `ms` is no positive number or reaches beyond `grace − reserve` of a stop
 */
export function grantProtection(request: ProtectionRequest): { readonly untilMs: number } {
  const { nowMs, ms, longestMs, lastCallAtMs } = request;
  const leftMs = lastCallAtMs - nowMs;
  const grantableMs = Math.max(0, Math.floor(Math.min(longestMs, leftMs)));
  if (!(Number.isFinite(ms) && ms > 0)) {
    throw new ProtectionDeniedError(
      ms,
      grantableMs,
      `protection for ${ms} ms was asked for: give a number above 0 and at most ${grantableMs}`,
    );
  }
  if (ms > longestMs || ms > leftMs) {
    const why =
      leftMs < longestMs
        ? "all that the stop in progress leaves"
        : "grace - reserve; raise grace to allow more";
    throw new ProtectionDeniedError(
      ms,
      grantableMs,
      `protection for ${ms} ms was asked for: at most ${grantableMs} ms can be granted (${why})`,
    );
  }
  return { untilMs: nowMs + ms };
}

/** When a call is told to end, and when it is cut. Infinity when no stop is in progress. */
export interface CallEnd {
  readonly noticeAtMs: number;
  readonly cutAtMs: number;
}

/**
 * When one call has to end. An unprotected call follows the plan; one whose protection outlasts the notice gets its
 * notice when the protection ends, and `abortNoticeMs` from there, at the latest at `lastCallAtMs`. One protected up
 * to `lastCallAtMs` is cut there without notice: that is what it asked for.
 *
 * @param protectedUntilMs the end of its last protection; 0 if it never had one
 */
export function callEnd(times: CallTimes, protectedUntilMs: number): CallEnd {
  const { noticeAtMs, callsEndAtMs, lastCallAtMs, abortNoticeMs } = times;
  if (protectedUntilMs <= noticeAtMs) return { noticeAtMs, cutAtMs: callsEndAtMs };
  return {
    noticeAtMs: Math.min(protectedUntilMs, lastCallAtMs),
    cutAtMs: Math.min(protectedUntilMs + abortNoticeMs, lastCallAtMs),
  };
}

/** What a stop does to one call now. */
export type CutDecision =
  /** It runs on undisturbed, until asked again at `untilMs` (Infinity: no stop is in progress). */
  | { readonly kind: "run"; readonly untilMs: number }
  /** Abort its `signal`, set `stopping`; cut it at `cutAtMs`. */
  | { readonly kind: "notice"; readonly cutAtMs: number }
  /** End it now. */
  | { readonly kind: "cut" };

/** Decides over one call. A `renew` in the meantime changes the answer, so ask again at the time that was given. */
export function cutDecision(times: CallTimes, protectedUntilMs: number, nowMs: number): CutDecision {
  const end = callEnd(times, protectedUntilMs);
  if (nowMs >= end.cutAtMs) return { kind: "cut" };
  if (nowMs >= end.noticeAtMs) return { kind: "notice", cutAtMs: end.cutAtMs };
  return { kind: "run", untilMs: end.noticeAtMs };
}

/**
 * Whether `allowBreak()` ends the call here: a stop waits for it. That is so from the abort notice on, protected or
 * not. Before it calls still have their `callGrace`, and one that would finish in time is not thrown away.
 */
export function breaksHere(times: CallTimes, nowMs: number): boolean {
  return nowMs >= times.noticeAtMs;
}
