/** The one owner of a server's phase. Facts and wishes go in, phases and deadlines come out; no I/O inside. */

import type { Clock } from "./clock.ts";
import type { FactAnswer, LifecycleListener, LifecycleSettings, StopAnswer, WishAnswer } from "./driver.ts";
import {
  StartTimeoutError,
  type UndrainRefusedError,
  undrainRefusedByFault,
  undrainRefusedBySignal,
  undrainRefusedIn,
} from "./errors.ts";
import { type Milestone, MilestoneAlarm } from "./milestones.ts";
import { type PhaseMs, PhaseTimes } from "./phase-times.ts";
import {
  assertLegalMove,
  type Ending,
  IllegalMoveError,
  type LifecycleState,
  type PhaseName,
  type StepFailure,
} from "./phases.ts";
import type { SignalName } from "./signals.ts";
import { hastenPlan, planStop, type Stop, type StopRequest, validateStopSettings } from "./stop-plan.ts";
import { Telling } from "./telling.ts";

type StateOf<P extends PhaseName> = Extract<LifecycleState, { phase: P }>;

/**
 * The lifecycle of one server; it begins in `starting` when it is made. *Facts* (`started`, `callsSettled`, …) are
 * true in one phase only and throw `IllegalMoveError` elsewhere. *Wishes* (`requestStop`, `hasten`, `force`) may come
 * at any time; one that makes no sense is ignored and says so. All timers are owned here.
 */
export class Lifecycle {
  readonly #settings: LifecycleSettings;
  readonly #clock: Clock;
  readonly #listener: LifecycleListener;
  readonly #times: PhaseTimes;
  readonly #alarm: MilestoneAlarm;
  readonly #telling = new Telling();
  #state: LifecycleState;

  /** @throws StopSettingsError when the settings contradict each other */
  constructor(settings: LifecycleSettings, clock: Clock, listener: LifecycleListener) {
    validateStopSettings(settings);
    const sinceMs = clock.now();
    this.#settings = settings;
    this.#clock = clock;
    this.#listener = listener;
    this.#times = new PhaseTimes("starting", sinceMs);
    this.#alarm = new MilestoneAlarm(clock, sinceMs + settings.startTimeoutMs, () => this.#passMilestones());
    this.#state = { phase: "starting", sinceMs, stop: undefined };
    this.#setAlarm();
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** The stop in progress, kept, or completed; undefined when there is none. */
  get stop(): Stop | undefined {
    return this.#state.phase === "serving" ? undefined : this.#state.stop;
  }

  /** How long each phase took so far. A lame-duck that was undrained is left out. */
  phaseMs(): PhaseMs {
    return this.#times.read(this.#clock.now());
  }

  /** From the request to stop until now, or until `stopped`. 0 when there is no stop. */
  drainMs(): number {
    if (this.stop === undefined) return 0;
    const untilMs = this.#state.phase === "stopped" ? this.#state.sinceMs : this.#clock.now();
    return untilMs - this.stop.plan.requestedAtMs;
  }

  /** Fact: every handler is made and every resource open. Serves, or ends a shielded start without ever serving. */
  started(): FactAnswer {
    const state = this.#expect("starting", "started()");
    if (state === undefined) return "too-late";
    const sinceMs = this.#clock.now();
    const { stop } = state;
    return this.#move(
      stop === undefined ? { phase: "serving", sinceMs } : { phase: "flushing", sinceMs, stop },
    );
  }

  /** Fact: the start failed. What was opened is closed within the grace of the stop that begins here, or was kept. */
  startFailed(cause: unknown): FactAnswer {
    const state = this.#expect("starting", "startFailed()");
    if (state === undefined) return "too-late";
    const sinceMs = this.#clock.now();
    const stop =
      state.stop ?? this.#begin({ source: "start-failed", reason: "the start failed" }, "starting");
    return this.#move({ phase: "closing", sinceMs, stop, startFailure: { cause }, flushFailures: [] });
  }

  /** Fact: nothing is owed, nothing runs, background promises are settled, connections are done. */
  callsSettled(): FactAnswer {
    const state = this.#expect("draining", "callsSettled()");
    if (state === undefined) return "too-late";
    return this.#move({ phase: "flushing", sinceMs: this.#clock.now(), stop: state.stop });
  }

  /** Fact: flushing has ended; `flushFailures` lists what could not be flushed. */
  flushed(flushFailures: readonly StepFailure[] = []): FactAnswer {
    const state = this.#expect("flushing", "flushed()");
    if (state === undefined) return "too-late";
    const sinceMs = this.#clock.now();
    return this.#move({
      phase: "closing",
      sinceMs,
      stop: state.stop,
      startFailure: undefined,
      flushFailures,
    });
  }

  /** Fact: closing has ended; `closeFailures` lists what could not be closed. */
  closed(closeFailures: readonly StepFailure[] = []): FactAnswer {
    if (this.#expect("closing", "closed()") === undefined) return "too-late";
    return this.#end({ kind: "closed" }, closeFailures);
  }

  /** Wish: stop. The first begins the stop, later ones join it; during a start it is kept until that has ended. */
  requestStop(request: StopRequest): StopAnswer {
    const state = this.#state;
    if (state.phase === "stopped") return { kind: "ignored", why: "the server has stopped already" };
    if (state.phase === "serving") {
      const stop = this.#begin(request, "serving");
      const phase = stop.plan.lameDuckEndsAtMs > stop.plan.requestedAtMs ? "lame-duck" : "draining";
      this.#move({ phase, sinceMs: stop.plan.requestedAtMs, stop });
      return { kind: "began", stop };
    }
    if (state.stop === undefined) {
      const stop = this.#begin(request, "starting");
      this.#setStop(stop);
      this.#telling.tellAll();
      return { kind: "began", stop };
    }
    const stop: Stop = { ...state.stop, joined: [...state.stop.joined, request] };
    this.#setStop(stop);
    return { kind: "joined", stop };
  }

  /** Wish of a second signal: no lame-duck, `callGrace` is over at once. Protected calls keep their time. */
  hasten(): WishAnswer {
    const { phase } = this.#state;
    const stop = this.stop;
    if (stop === undefined) return { kind: "ignored", why: "no stop is in progress" };
    if (phase !== "starting" && phase !== "lame-duck" && phase !== "draining") {
      return { kind: "ignored", why: `no call is waited for any more: the server is ${phase}` };
    }
    if (stop.hastenedAtMs !== undefined) return { kind: "ignored", why: "the stop was hastened already" };
    const nowMs = this.#clock.now();
    const hastened: Stop = { ...stop, hastenedAtMs: nowMs, plan: hastenPlan(stop.plan, nowMs) };
    this.#setStop(hastened);
    this.#telling.add(() => this.#listener.onStopHastened(hastened));
    this.#passMilestones();
    return { kind: "done" };
  }

  /** Wish of the last signal: the end, now, from any phase. */
  force(signal: SignalName): WishAnswer {
    const during = this.#state.phase;
    if (during === "stopped") return { kind: "ignored", why: "the server has stopped already" };
    this.#end({ kind: "forced", during, signal }, []);
    return { kind: "done" };
  }

  /** Whether `undrain` would be granted now. */
  get canUndrain(): boolean {
    return undrainRefusal(this.#state) === undefined;
  }

  /**
   * Wish: serve again. Granted in lame-duck only, and only if neither a signal nor a fault began the stop or joined it.
   *
   * @throws UndrainRefusedError that says why
   */
  undrain(): void {
    const state = this.#state;
    const refusal = undrainRefusal(state);
    if (state.phase !== "lame-duck" || refusal !== undefined) throw refusal;
    const { stop } = state;
    this.#enter({ phase: "serving", sinceMs: this.#clock.now() });
    this.#times.forget("lame-duck");
    this.#telling.add(() => this.#listener.onUndrained(stop));
    this.#telling.tellAll();
  }

  /** The state if it is in `phase`; undefined if the fact comes too late through no fault of the driver's. */
  #expect<P extends PhaseName>(phase: P, fact: string): StateOf<P> | undefined {
    const state = this.#state;
    if (state.phase === phase) return state as StateOf<P>;
    const startWasGivenUp =
      phase === "starting" && state.phase === "closing" && state.startFailure !== undefined;
    if (state.phase === "stopped" || startWasGivenUp) return undefined;
    throw new IllegalMoveError(state.phase, fact);
  }

  #begin(request: StopRequest, beganIn: Stop["beganIn"]): Stop {
    // Load balancers have nowhere to leave to, or from, when the next process has the listener.
    const lameDuckMs = request.source === "takeover" ? 0 : this.#settings.lameDuckMs;
    const plan = planStop({ ...this.#settings, lameDuckMs }, this.#clock.now());
    const stop: Stop = { request, joined: [], beganIn, hastenedAtMs: undefined, plan };
    this.#telling.add(() => this.#listener.onStopBegun(stop));
    return stop;
  }

  #end(ending: Ending, closeFailures: readonly StepFailure[]): FactAnswer {
    const state = this.#state;
    return this.#move({
      phase: "stopped",
      sinceMs: this.#clock.now(),
      stop: this.stop,
      ending,
      startFailure: state.phase === "closing" ? state.startFailure : undefined,
      flushFailures: state.phase === "closing" ? state.flushFailures : [],
      closeFailures,
    });
  }

  #move(next: LifecycleState): "taken" {
    this.#enter(next);
    this.#telling.tellAll();
    return "taken";
  }

  #enter(next: LifecycleState): void {
    const previous = this.#state;
    assertLegalMove(previous.phase, next.phase);
    this.#state = next;
    this.#times.enter(next.phase, next.sinceMs);
    this.#telling.add(() => this.#listener.onPhase(next, previous));
    this.#setAlarm();
  }

  #setStop(stop: Stop): void {
    const state = this.#state;
    if (state.phase !== "serving") this.#state = { ...state, stop };
    this.#setAlarm();
  }

  #setAlarm(): void {
    this.#alarm.set(this.#state.phase, this.stop?.plan);
  }

  /** Reaches all milestones that are due. The listener hears of each before the next: it may end the phase. */
  #passMilestones(): void {
    try {
      this.#telling.tellAll();
      for (let due = this.#takeDue(); due !== undefined; due = this.#takeDue()) {
        this.#reach(due);
        this.#telling.tellAll();
      }
    } finally {
      // Also when a listener threw: the deadline must not be lost with it.
      this.#setAlarm();
    }
  }

  #takeDue(): Milestone | undefined {
    return this.#alarm.take(this.#state.phase, this.stop?.plan);
  }

  #reach(milestone: Milestone): void {
    switch (milestone) {
      case "start-timeout":
        this.startFailed(
          new StartTimeoutError(this.#settings.startTimeoutMs, this.#settings.startWaitsFor?.()),
        );
        return;
      case "lame-duck-end": {
        const { stop } = this;
        if (stop !== undefined) this.#enter({ phase: "draining", sinceMs: this.#clock.now(), stop });
        return;
      }
      case "abort-notice":
        this.#telling.add(() => this.#listener.onAbortNotice());
        return;
      case "cut":
        this.#telling.add(() => this.#listener.onCut());
        return;
      case "last-call":
        this.#telling.add(() => this.#listener.onLastCall());
        return;
      case "deadline":
        this.#telling.add(() => this.#listener.onDeadline());
        this.#end({ kind: "deadline", during: this.#state.phase }, []);
    }
  }
}

function undrainRefusal(state: LifecycleState): UndrainRefusedError | undefined {
  if (state.phase !== "lame-duck") return undrainRefusedIn(state.phase);
  const requests = [state.stop.request, ...state.stop.joined];
  if (requests.some(({ source }) => source === "signal")) return undrainRefusedBySignal();
  const fault = requests.find(({ source }) => source === "fault");
  return fault && undrainRefusedByFault(fault.reason);
}
