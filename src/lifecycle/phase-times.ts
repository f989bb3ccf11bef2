/** How long each phase took, for the drain report. */

import { PHASES, type PhaseName } from "./phases.ts";

/** Milliseconds per phase; 0 for a phase that was never entered. `stopped` takes no time. */
export type PhaseMs = Readonly<Record<PhaseName, number>>;

/** Adds up the time spent in each phase. */
export class PhaseTimes {
  readonly #endedMs = new Map<PhaseName, number>();
  #phase: PhaseName;
  #sinceMs: number;

  constructor(phase: PhaseName, nowMs: number) {
    this.#phase = phase;
    this.#sinceMs = nowMs;
  }

  /** Ends the current phase and begins another. */
  enter(phase: PhaseName, nowMs: number): void {
    this.#endedMs.set(this.#phase, this.#total(this.#phase, nowMs));
    this.#phase = phase;
    this.#sinceMs = nowMs;
  }

  /** Drops what a phase took so far: an undrained lame-duck belongs to no report. */
  forget(phase: PhaseName): void {
    this.#endedMs.delete(phase);
  }

  /** The times up to `nowMs`, the current phase included. */
  read(nowMs: number): PhaseMs {
    return Object.fromEntries(PHASES.map((phase) => [phase, this.#total(phase, nowMs)])) as PhaseMs;
  }

  #total(phase: PhaseName, nowMs: number): number {
    const endedMs = this.#endedMs.get(phase) ?? 0;
    const current = phase === this.#phase && phase !== "stopped";
    return current ? endedMs + nowMs - this.#sinceMs : endedMs;
  }
}
