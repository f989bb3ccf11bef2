/**
 * Carries out a stop: the lifecycle says what is due, this does it. No step needs a free worker, and
 * every wait for a thread is bounded.
 */

import type { Timer } from "../lifecycle/clock.ts";
import type { LifecycleListener } from "../lifecycle/driver.ts";
import type { Lifecycle } from "../lifecycle/lifecycle.ts";
import { stopFacts } from "../lifecycle/outcome.ts";
import type { LifecycleState, StepFailure, StoppedState } from "../lifecycle/phases.ts";
import type { Stop } from "../lifecycle/stop-plan.ts";
import { messageOf } from "../service/thrown.ts";
import { Cutting, terminationMs } from "./cutting.ts";
import { DrainTimeline } from "./drain-timeline.ts";
import { closeThreads, flushAll, within } from "./last-steps.ts";
import type { Parts } from "./parts.ts";
import { createReport, type DrainReport } from "./report.ts";
import { showReport } from "./show-report.ts";

/** What is kept back of the time that is left, so that the last steps have some, in ms. */
const marginMs = 100;
const adminCloseMs = 50;
/** How long answers may still leave after the last call's end: a thread ends, and the peer reads, in ms. */
const lastWordsMs = terminationMs + 100;
/** Hears of the ends of stops. */
export interface StopListener {
  /** All resources are closed. */
  released(): void;
  /** The phase changed; told before what it asks for is done. */
  moved(): void;
  undrained(): void;
  /** All but the admin port is closed: the report as it will be, if nothing goes wrong any more. */
  ending(report: DrainReport): void;
  stopped(report: DrainReport): void;
}

export class StopDriver implements LifecycleListener {
  readonly #parts: Parts;
  readonly #listener: StopListener;
  #lifecycle!: Lifecycle;
  #cutting: Cutting | undefined;
  /** Once the last call's end has come: until when peers may read their answers, while all else goes on. */
  #lastWords: { readonly timer: Timer; readonly over: PromiseWithResolvers<void> } | undefined;
  /** Background promises may take as long as calls; what flush and close have in reserve is not theirs. */
  #background: "awaited" | "given-up" = "awaited";
  /** Calls that were cut before the stop, because their worker died. */
  #cutBefore = 0;
  #unterminated = 0;
  #drained = false;
  /** Of the stop in progress. */
  timeline: DrainTimeline | undefined;

  constructor(parts: Parts, listener: StopListener) {
    this.#parts = parts;
    this.#listener = listener;
    parts.ledger.onIdle = () => this.#lookSettled();
    parts.desk.onProgress = () => this.#lookSettled();
    parts.connections.onEnding = () => this.#lookSettled();
    parts.connections.onEmpty = () => {
      this.#lastWords?.over.resolve();
      this.#lookSettled();
    };
  }

  /** The lifecycle that this drives; it needs its listener first. */
  attach(lifecycle: Lifecycle): void {
    this.#lifecycle = lifecycle;
  }

  onStopBegun(stop: Stop): void {
    this.#cutBefore = this.#parts.ledger.totals().cut;
    this.timeline = new DrainTimeline(this.#parts.ledger, stop.plan);
    this.#parts.log.contract("draining", { reason: stop.request.reason });
    this.#tellTimes(stop);
  }

  onStopHastened(stop: Stop): void {
    this.#parts.log.info("hastened", { reason: stop.joined.at(-1)?.reason ?? "signal" });
    this.#tellTimes(stop);
  }

  onUndrained(): void {
    this.#parts.log.info("undrained");
    this.#parts.pool.setStopTimes(0, 0);
    this.#parts.connections.lameDuck = false;
    this.timeline = undefined;
    this.#listener.undrained();
  }

  onPhase(state: LifecycleState): void {
    this.#listener.moved();
    // What begins and what ends a life have lines of the contract.
    const { phase } = state;
    if (phase === "lame-duck" || phase === "flushing" || phase === "closing") {
      this.#parts.log.info(phase, { owed: this.#parts.ledger.owed });
    }
    switch (state.phase) {
      case "lame-duck":
        this.#parts.connections.lameDuck = true;
        break;
      case "draining":
        this.timeline?.begin(state.sinceMs);
        void this.#drain();
        break;
      case "flushing":
        this.timeline?.end();
        void this.#flush();
        break;
      case "closing":
        void this.#close();
        break;
      case "stopped":
        this.#finish(state);
        break;
    }
    this.#parts.admin?.announce();
  }

  onAbortNotice(): void {
    this.#cut.look();
  }

  onCut(): void {
    this.#parts.connections.hasten();
    this.#parts.pool.refuseUnstarted();
    this.#cut.look();
  }

  onLastCall(): void {
    this.#background = "given-up";
    this.#parts.pool.stopReplacing();
    this.#parts.pool.refuseUnstarted();
    this.#cut.look();
    // Calls that are cut now get their answer when their thread has left: connections have to outlast that.
    const { clock, connections } = this.#parts;
    const untilMs = clock.now() + Math.min(lastWordsMs, this.#leftMs() / 3);
    const over = Promise.withResolvers<void>();
    const timer = clock.setTimer(untilMs, () => {
      over.resolve();
      connections.destroyAll();
      this.#lookSettled();
    });
    this.#lastWords = { timer, over };
    this.#lookSettled();
  }

  onDeadline(): void {
    this.#parts.log.warn("the grace period is over before everything was closed");
  }

  get #cut(): Cutting {
    this.#cutting ??= new Cutting(
      this.#parts.pool,
      this.#parts.desk,
      this.#parts.clock,
      () => this.#stop.plan,
    );
    return this.#cutting;
  }

  get #stop(): Stop {
    return this.#lifecycle.stop!;
  }

  /** What is left until the deadline, less a margin, in ms. */
  #leftMs(): number {
    const leftMs = this.#stop.plan.deadlineAtMs - this.#parts.clock.now();
    return Math.max(10, leftMs - Math.min(marginMs, leftMs / 4));
  }

  #tellTimes({ plan }: Stop): void {
    this.#parts.pool.setStopTimes(plan.noticeAtMs, plan.lastCallAtMs);
  }

  async #drain(): Promise<void> {
    await this.#parts.acceptor.close();
    this.#parts.connections.drain();
    this.#drained = true;
    this.#lookSettled();
  }

  /**
   * Nothing is owed, nothing runs, no connection is open: then the calls are settled. In the reserve, flushing does not
   * wait for peers either that have all their answers and our FIN, and keep their side open.
   */
  #lookSettled(): void {
    const { ledger, pool, connections } = this.#parts;
    if (!this.#drained || this.#lifecycle.state.phase !== "draining") return;
    if (ledger.owed > 0 || pool.running > 0) return;
    if (connections.size > 0 && !(this.#lastWords !== undefined && connections.allEnding)) return;
    if (pool.background > 0 && this.#background === "awaited") return;
    this.#lifecycle.callsSettled();
  }

  async #flush(): Promise<void> {
    const failures = await flushAll(this.#parts, this.#cutting?.cutWorkers ?? [], () => this.#leftMs());
    this.#tell("a flush failed", failures);
    this.#lifecycle.flushed(failures);
  }

  #tell(what: string, failures: readonly StepFailure[]): void {
    for (const { part, cause } of failures) this.#parts.log.error(what, { part, error: messageOf(cause) });
  }

  async #close(): Promise<void> {
    const { acceptor, connections, admin, config } = this.#parts;
    await acceptor.close();
    const { failures, stuck } = await closeThreads(this.#parts, this.#leftMs());
    this.#listener.released();
    await this.#lastWords?.over.promise;
    connections.destroyAll();
    this.#unterminated = stuck + (this.#cutting?.unterminated ?? 0);
    try {
      await within(this.#leftMs(), Promise.resolve(config.beforeExit?.()), undefined);
    } catch (cause) {
      failures.push({ part: "beforeExit", cause });
    }
    this.#tell("a close failed", failures);
    this.#listener.ending(this.#report(this.#stateToBe(failures)));
    await admin?.close(adminCloseMs);
    this.#lifecycle.closed(failures);
  }

  /** The state that follows when the admin port has closed too. */
  #stateToBe(closeFailures: readonly StepFailure[]): StoppedState {
    const { state } = this.#lifecycle;
    const { startFailure, flushFailures } = state.phase === "closing" ? state : noFailures;
    return {
      phase: "stopped",
      sinceMs: this.#parts.clock.now(),
      stop: this.#stop,
      ending: { kind: "closed" },
      startFailure,
      flushFailures,
      closeFailures,
    };
  }

  #finish(state: StoppedState): void {
    const { log, connections, admin } = this.#parts;
    this.#cutting?.stop();
    this.#lastWords?.timer.cancel();
    this.timeline?.end();
    connections.destroyAll();
    connections.close();
    const report = this.#report(state);
    log.contract("stopped", { ...report }, showReport(report), report.exitCode === 0 ? "info" : "error");
    this.#listener.stopped(report);
    // Closed already, unless the end was forced or came by the deadline.
    void admin?.close(adminCloseMs);
  }

  #report(state: StoppedState): DrainReport {
    const { ledger, desk, log, pool } = this.#parts;
    const totals = ledger.totals();
    return createReport({
      state,
      facts: stopFacts(state, totals.cut - this.#cutBefore),
      totals,
      timeline: this.timeline,
      cutCalls: desk.cutCalls,
      drainMs: this.#lifecycle.drainMs(),
      phases: this.#lifecycle.phaseMs(),
      droppedLogLines: log.dropped,
      unterminatedThreads: state.ending.kind === "closed" ? this.#unterminated : pool.workers.length,
    });
  }
}

const noFailures = { startFailure: undefined, flushFailures: [] } as const;
