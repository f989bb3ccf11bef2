/** Errors that people see: a start that took too long, an undrain that can't be. */

import type { PhaseName } from "./phases.ts";

/** The start took longer than `startTimeout`. */
export class StartTimeoutError extends Error {
  override readonly name = "StartTimeoutError";
  readonly code = "SLUICE_START_TIMEOUT";

  /** @param waitedFor what was still awaited, for people */
  constructor(startTimeoutMs: number, waitedFor?: string) {
    const still = waitedFor === undefined ? "" : `, waiting for ${waitedFor}`;
    super(
      `the start took longer than startTimeout (${startTimeoutMs} ms)${still}: make it quicker or raise startTimeout (--start-timeout)`,
    );
  }
}

/** A stop was asked for during the start, and the start outlasted its grace period. */
export class StartOverrunError extends Error {
  override readonly name = "StartOverrunError";
  readonly code = "SLUICE_START_OVERRUN";

  constructor() {
    super("the start did not end within the grace period of the stop: make it quicker or raise grace");
  }
}

/** This process can't be replaced by a successor, or not now. The message says why and what to do. */
export class TakeoverRefusedError extends Error {
  override readonly name = "TakeoverRefusedError";
  readonly code = "SLUICE_TAKEOVER_REFUSED";
}

/** The drain was taken back: the promise that `drain` gave rejects with this. */
export class UndrainedError extends Error {
  override readonly name = "UndrainedError";
  /** For programs; the message is for people. */
  readonly code = "SLUICE_UNDRAINED";

  constructor() {
    super("the drain was taken back; the server serves again");
  }
}

/**
 * Why an undrain was refused: nothing is being stopped (`no-stop`), the server has yet to start, lame-duck is over
 * (`too-late`), a signal asked for the stop, or a fault forced it.
 */
export type UndrainRefusal = "no-stop" | "starting" | "too-late" | "signal" | "fault";

/** The server can't go back to serving. `why` tells the reasons apart, the message says them. */
export class UndrainRefusedError extends Error {
  override readonly name = "UndrainRefusedError";
  /** For programs; the message is for people. */
  readonly code = "SLUICE_UNDRAIN_REFUSED";
  /** What stands in the way. */
  readonly why: UndrainRefusal;

  constructor(why: UndrainRefusal, message: string) {
    super(message);
    this.why = why;
  }
}

/** The refusal that fits a phase other than lame-duck. */
export function undrainRefusedIn(phase: Exclude<PhaseName, "lame-duck">): UndrainRefusedError {
  switch (phase) {
    case "serving":
      return new UndrainRefusedError("no-stop", "nothing to undrain: the server is serving");
    case "starting":
      return new UndrainRefusedError(
        "starting",
        "can't undrain while starting: wait until the server serves",
      );
    default:
      return new UndrainRefusedError(
        "too-late",
        `can't undrain any more: the server is ${phase}, and only lame-duck can be taken back; start it again`,
      );
  }
}

/** The refusal of an undrain in lame-duck when a signal began the stop or joined it. */
export function undrainRefusedBySignal(): UndrainRefusedError {
  return new UndrainRefusedError(
    "signal",
    "can't undrain: a signal told the process to stop, and only a drain asked for by API or POST can be taken back",
  );
}

/** The refusal of an undrain when the server stops because it can't keep its promises. */
export function undrainRefusedByFault(reason: string): UndrainRefusedError {
  return new UndrainRefusedError(
    "fault",
    `can't undrain: the server has to stop, because ${reason}; start it again`,
  );
}
