/** When each step of one stop happens: absolute times, computed once from the settings. */

/** How long the parts of a stop take. All in milliseconds. */
export interface StopSettings {
  /** The whole stop, from the first request to the exit. */
  readonly graceMs: number;
  /** How long to stay up but unready before draining; 0 skips the phase. */
  readonly lameDuckMs: number;
  /** How long a connection must be silent before it is closed in a drain. */
  readonly quietMs: number;
  /** When, counted from the start of draining, a connection that is never silent is closed. */
  readonly busyCloseMs: number;
  /** The part of `graceMs` at its end that belongs to flush and close, whatever the calls do. */
  readonly reserveMs: number;
  /** How long unprotected calls may run on, counted from the start of draining; undefined: all that is left. */
  readonly callGraceMs: number | undefined;
  /** How long before the cut a call's `signal` aborts and `stopping` is set. */
  readonly abortNoticeMs: number;
}

/** Who asked for a stop, and why. */
export interface StopRequest {
  /**
   * `start-failed` is the stop that the lifecycle asks for itself when a start fails; `fault` is that of a server
   * which can't keep its promises any more, and is never taken back. With `takeover` another process has the
   * listeners: there is no lame-duck.
   */
  readonly source: "signal" | "api" | "post" | "start-failed" | "fault" | "takeover";
  /** For people: goes into the `draining` log line. */
  readonly reason: string;
  /** The signal's name, when `source` is `signal`. */
  readonly signal?: string;
}

/** Absolute times of one stop, on the scale of the clock that gave `requestedAtMs`. */
export interface StopPlan {
  readonly requestedAtMs: number;
  /** Lame-duck ends and draining begins; equals `requestedAtMs` when there is no lame-duck. */
  readonly lameDuckEndsAtMs: number;
  /** Unprotected calls that still run are told: `signal` aborts, `stopping` is set. */
  readonly noticeAtMs: number;
  /** Unprotected calls that still run are cut. Never later than `lastCallAtMs`. */
  readonly callsEndAtMs: number;
  /** Every call that still runs is cut, protected ones too; the reserve begins. */
  readonly lastCallAtMs: number;
  /** The whole grace is over: the process leaves. */
  readonly deadlineAtMs: number;
  /** The notice that a call gets, kept here for calls whose protection ends late and for `hastenPlan`. */
  readonly abortNoticeMs: number;
}

/** One stop, from its first request to its end. Requests that came later have joined it. */
export interface Stop {
  readonly request: StopRequest;
  /** Later requests, in the order in which they came. */
  readonly joined: readonly StopRequest[];
  /** Whether the service ever served before this stop began. A stop that began in `starting` is shielded. */
  readonly beganIn: "starting" | "serving";
  /** When a second signal shortened the plan; undefined if none did. */
  readonly hastenedAtMs: number | undefined;
  readonly plan: StopPlan;
}

/** A stop setting is out of its range. The message names the setting and what is allowed. */
export class StopSettingsError extends Error {
  override readonly name = "StopSettingsError";
  readonly code = "SLUICE_BAD_STOP_SETTINGS";
  /** Which setting is to blame; for the sum rule it is `graceMs`. */
  readonly setting: keyof StopSettings;

  constructor(setting: keyof StopSettings, message: string) {
    super(message);
    this.setting = setting;
  }
}

/**
 * Checks that every duration is a finite number from 0 on and that lameDuck + quiet + reserve < grace.
 *
 * @throws StopSettingsError for the first rule that is broken
 */
export function validateStopSettings(settings: StopSettings): void {
  const required = ["graceMs", "lameDuckMs", "quietMs", "busyCloseMs", "reserveMs", "abortNoticeMs"] as const;
  for (const setting of required) requireDuration(setting, settings[setting]);
  if (settings.callGraceMs !== undefined) requireDuration("callGraceMs", settings.callGraceMs);
  const { graceMs, lameDuckMs, quietMs, reserveMs } = settings;
  const takenMs = lameDuckMs + quietMs + reserveMs;
  if (takenMs >= graceMs) {
    throw new StopSettingsError(
      "graceMs",
      `grace (${graceMs} ms) must be more than lameDuck + quiet + reserve (${lameDuckMs} + ${quietMs} + ${reserveMs} = ${takenMs} ms): raise grace or lower one of them`,
    );
  }
}

function requireDuration(setting: keyof StopSettings, valueMs: number): void {
  if (Number.isFinite(valueMs) && valueMs >= 0) return;
  throw new StopSettingsError(setting, `${setting} is ${valueMs}: give a number of milliseconds from 0 on`);
}

/**
 * The times of a stop that is asked for at `requestedAtMs`. `settings` must have passed
 * `validateStopSettings`. The notice is shortened to a quarter of the time that calls have, so that a short
 * `callGrace` is not all notice.
 */
export function planStop(settings: StopSettings, requestedAtMs: number): StopPlan {
  const lameDuckEndsAtMs = requestedAtMs + settings.lameDuckMs;
  const lastCallAtMs = requestedAtMs + settings.graceMs - settings.reserveMs;
  const callGraceMs = settings.callGraceMs ?? Number.POSITIVE_INFINITY;
  const callsEndAtMs = Math.min(lameDuckEndsAtMs + callGraceMs, lastCallAtMs);
  const noticeMs = Math.min(settings.abortNoticeMs, (callsEndAtMs - lameDuckEndsAtMs) / 4);
  return {
    requestedAtMs,
    lameDuckEndsAtMs,
    noticeAtMs: callsEndAtMs - noticeMs,
    callsEndAtMs,
    lastCallAtMs,
    deadlineAtMs: requestedAtMs + settings.graceMs,
    abortNoticeMs: settings.abortNoticeMs,
  };
}

/**
 * The plan after a second signal: no lame-duck any more, the abort notice now, the cut `abortNoticeMs` later.
 * No time moves back beyond what was planned; protected calls, the reserve and the deadline keep theirs.
 */
export function hastenPlan(plan: StopPlan, nowMs: number): StopPlan {
  return {
    ...plan,
    lameDuckEndsAtMs: Math.min(plan.lameDuckEndsAtMs, nowMs),
    noticeAtMs: Math.min(plan.noticeAtMs, nowMs),
    callsEndAtMs: Math.min(plan.callsEndAtMs, nowMs + plan.abortNoticeMs),
  };
}
