/**
 * The moments at which a phase changes something by time alone, in one ordered list. One timer for the next of
 * them, instead of one timer each, keeps their order when the event loop comes late to several at once.
 */

import type { Clock, Timer } from "./clock.ts";
import type { PhaseName } from "./phases.ts";
import type { StopPlan } from "./stop-plan.ts";

export type Milestone = "start-timeout" | "lame-duck-end" | "abort-notice" | "cut" | "last-call" | "deadline";

/** Which milestones count in which phase. Those due at the same time are reached in this order. */
const milestonesOf: Readonly<Record<PhaseName, readonly Milestone[]>> = {
  starting: ["start-timeout", "deadline"],
  serving: [],
  "lame-duck": ["lame-duck-end", "deadline"],
  draining: ["abort-notice", "cut", "last-call", "deadline"],
  flushing: ["deadline"],
  closing: ["deadline"],
  stopped: [],
};

/** A milestone and its absolute time. */
interface TimedMilestone {
  readonly milestone: Milestone;
  readonly atMs: number;
}

/**
 * Knows which milestones were reached and keeps one timer for the next. A stop that can still be undrained has reached
 * none of its own, so one alarm serves all stops of a server.
 */
export class MilestoneAlarm {
  readonly #clock: Clock;
  readonly #startTimeoutAtMs: number;
  readonly #ring: () => void;
  readonly #reached = new Set<Milestone>();
  #timer: Timer | undefined;

  /**
   * @param startTimeoutAtMs Infinity: never
   * @param ring called when a milestone is due; it has to `take` what is due and to `set` the alarm again
   */
  constructor(clock: Clock, startTimeoutAtMs: number, ring: () => void) {
    this.#clock = clock;
    this.#startTimeoutAtMs = startTimeoutAtMs;
    this.#ring = ring;
  }

  /** Sets the timer to the next milestone of this phase, or to none; the one set before is forgotten. */
  set(phase: PhaseName, plan: StopPlan | undefined): void {
    this.#timer?.cancel();
    const next = nextMilestone(phase, this.#startTimeoutAtMs, plan, this.#reached);
    this.#timer = next && this.#clock.setTimer(next.atMs, this.#ring);
  }

  /** The next milestone if it is due; it counts as reached from then on. */
  take(phase: PhaseName, plan: StopPlan | undefined): Milestone | undefined {
    const next = nextMilestone(phase, this.#startTimeoutAtMs, plan, this.#reached);
    if (next === undefined || next.atMs > this.#clock.now()) return undefined;
    this.#reached.add(next.milestone);
    return next.milestone;
  }
}

/** The earliest milestone of a phase that was not reached yet; undefined when time alone changes nothing any more. */
function nextMilestone(
  phase: PhaseName,
  startTimeoutAtMs: number,
  plan: StopPlan | undefined,
  reached: ReadonlySet<Milestone>,
): TimedMilestone | undefined {
  let next: TimedMilestone | undefined;
  for (const milestone of milestonesOf[phase]) {
    if (reached.has(milestone)) continue;
    const atMs = milestone === "start-timeout" ? startTimeoutAtMs : timeInPlan(milestone, plan);
    if (atMs < (next?.atMs ?? Number.POSITIVE_INFINITY)) next = { milestone, atMs };
  }
  return next;
}

function timeInPlan(milestone: Exclude<Milestone, "start-timeout">, plan: StopPlan | undefined): number {
  if (plan === undefined) return Number.POSITIVE_INFINITY;
  switch (milestone) {
    case "lame-duck-end":
      return plan.lameDuckEndsAtMs;
    case "abort-notice":
      return plan.noticeAtMs;
    case "cut":
      return plan.callsEndAtMs;
    case "last-call":
      return plan.lastCallAtMs;
    case "deadline":
      return plan.deadlineAtMs;
  }
}
