/**
 * Ends calls that outlast their time in a stop: first a notice, then the cut. Protected calls are
 * left alone until their protection is over.
 */
import type { Call } from "../calls/call.ts";
import type { CallDesk } from "../calls/desk.ts";
import type { Clock, Timer } from "../lifecycle/clock.ts";
import { cutDecision } from "../lifecycle/protection.ts";
import type { StopPlan } from "../lifecycle/stop-plan.ts";
import { guardAborted } from "../pool/lane-layout.ts";
import type { LanePool } from "../pool/lane-pool.ts";
import type { LaneWorker } from "../pool/lane-worker.ts";

/** How often a worker is looked at that only protected calls keep, in ms. */
const lookAgainMs = 50;
/** How long a terminated thread may take to leave, in ms; less in a short reserve. Native code never does. */
export const terminationMs = 250;

export class Cutting {
  readonly #pool: LanePool;
  readonly #desk: CallDesk;
  readonly #clock: Clock;
  readonly #plan: () => StopPlan;
  /** When a call was given notice, its cut is due. */
  readonly #noticed = new Map<Call, { readonly serial: number; readonly cutAtMs: number }>();
  readonly #terminating = new Set<LaneWorker>();
  #timer: Timer | undefined;
  /** Workers that were ended by a cut. */
  readonly cutWorkers: LaneWorker[] = [];
  /** Threads that did not leave. */
  unterminated = 0;

  constructor(pool: LanePool, desk: CallDesk, clock: Clock, plan: () => StopPlan) {
    this.#pool = pool;
    this.#desk = desk;
    this.#clock = clock;
    this.#plan = plan;
  }

  /** Looks at every running call, does what is due and comes back when something will be. */
  look(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const worker of this.#pool.workers) {
      if (worker.state === "dead" || this.#terminating.has(worker)) continue;
      nextAtMs = Math.min(nextAtMs, this.#lookAt(worker));
    }
    if (nextAtMs < Number.POSITIVE_INFINITY) this.#timer = this.#clock.setTimer(nextAtMs, () => this.look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Returns when this worker has to be looked at again. */
  #lookAt(worker: LaneWorker): number {
    let nextAtMs = Number.POSITIVE_INFINITY;
    const due: Call[] = [];
    let others = 0;
    for (const call of worker.lane.started()) {
      const untilMs = this.#endOf(worker, call);
      if (untilMs === 0) due.push(call);
      else {
        others++;
        nextAtMs = Math.min(nextAtMs, untilMs);
      }
    }
    if (due.length === 0) return nextAtMs;
    this.#pool.stopReplacing();
    // Its other calls are protected: the thread has to live on for them.
    if (others > 0) for (const call of due) this.#desk.cut(call);
    else void this.#terminate(worker);
    // They may end before their protection does, and then nothing keeps the thread.
    return others > 0 ? Math.min(nextAtMs, this.#clock.now() + lookAgainMs) : nextAtMs;
  }

  /** Gives notice when it is due. Returns when to ask again, 0 when the call's end has come. */
  #endOf(worker: LaneWorker, call: Call): number {
    const nowMs = this.#clock.now();
    const noticed = this.#noticed.get(call);
    if (noticed?.serial === call.serial) return nowMs >= noticed.cutAtMs ? 0 : noticed.cutAtMs;
    const guard = worker.lane.guardOf(call);
    // The guard is a time in 32 bits: only its distance from now means something.
    const protectedUntilMs = guard === 0 || guard === guardAborted ? 0 : nowMs + ((guard - nowMs) | 0);
    const decision = cutDecision(this.#plan(), protectedUntilMs, nowMs);
    if (decision.kind === "run") return decision.untilMs;
    // The call renewed its protection in this moment: ask again at once.
    if (guard !== guardAborted && !worker.lane.abort(call, guard)) return nowMs;
    this.#pool.abort(call, "the server stops");
    if (decision.kind === "cut") return 0;
    this.#noticed.set(call, { serial: call.serial, cutAtMs: decision.cutAtMs });
    return decision.cutAtMs;
  }

  async #terminate(worker: LaneWorker): Promise<void> {
    this.#terminating.add(worker);
    this.cutWorkers.push(worker);
    const leftMs = Math.max(0, this.#plan().deadlineAtMs - this.#clock.now());
    const left = await this.#pool.terminate(worker, Math.min(terminationMs, leftMs / 5));
    if (left) return;
    this.unterminated++;
    worker.giveUp();
  }
}
