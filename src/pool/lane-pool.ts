/**
 * All lanes: starts them, gives them calls, ends them. Piscina supervises the threads; a lane is one task of it that
 * lasts. Which lane gets a call: see `dispatcher.ts`; what becomes of a worker that fails: see `replacements.ts`.
 */
import { Piscina } from "piscina";
import type { Call } from "../calls/call.ts";
import type { Lanes, LanesListener } from "../calls/lanes.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { Clock } from "../lifecycle/clock.ts";
import type { FromWorker, LifeFailure, ServiceDescription } from "./control-messages.ts";
import { Dispatcher } from "./dispatcher.ts";
import { LaneWorker, type LaneWorkerListener, type Opening } from "./lane-worker.ts";
import type { PoolLog } from "./pool-log.ts";
import { Publications } from "./publications.ts";
import { Replacements } from "./replacements.ts";
import { isStanding } from "./standing.ts";

export interface LanePoolOptions {
  readonly workers: number;
  /** The worker's entry file: a piscina task. */
  readonly workerFile: string;
  readonly modules: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** The memory above which a worker is drained and replaced, in bytes. Undefined: no limit. */
  readonly workerMemoryBytes: number | undefined;
  /** How long the calls of a worker that is recycled may take, in ms. */
  readonly callPatienceMs: number;
  readonly clock: Clock;
  /** Whether the main thread may look for replies without sleeping: see `reply-watch.ts`. */
  readonly mayWatch: boolean;
  readonly listener: LanesListener;
  /** What else every worker is given at its start. */
  readonly extra: unknown;
  readonly log: PoolLog;
}

/** How a lane looks from outside. */
export interface LaneStatus {
  readonly index: number;
  readonly state: "starting" | "ready" | "standing" | "closing" | "dead";
  readonly inFlight: number;
  readonly queued: number;
  readonly restarts: number;
  readonly busyUs: number;
  /** The share of time that its event loop was busy lately, 0 to 1; absent until it was looked at twice. */
  readonly utilisation?: number;
  /** What its heap and buffers take, as it last said; absent until it has. */
  readonly memoryBytes?: number;
}

/** By `CallResult`. */
const outcomeOfResult: readonly Outcome[] = [
  "completed",
  "failed",
  "rejected",
  "oneway",
  "failed",
  "rejected",
  "cut",
  "cut",
];

export class LanePool implements Lanes, LaneWorkerListener {
  readonly #options: LanePoolOptions;
  readonly #piscina: Piscina;
  readonly #listener: LanesListener;
  readonly #workers: LaneWorker[] = [];
  readonly #publications = new Publications();
  #stopTimes = { noticeAtMs: 0, lastCallAtMs: 0 };
  readonly #dispatcher: Dispatcher;
  readonly #replacements: Replacements;
  /** Known from `begin` on. */
  #opening: (() => Opening) | undefined;
  /** Whether every worker was ready once. Before, one that ends makes the start fail. */
  #begun = false;
  /** Why a thread failed last. */
  #threadFailure: unknown;

  constructor(options: LanePoolOptions) {
    this.#options = options;
    this.#listener = options.listener;
    this.#piscina = new Piscina({
      filename: options.workerFile,
      minThreads: options.workers,
      maxThreads: options.workers,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue: "auto",
      atomics: "disabled",
      recordTiming: false,
      ...hardLimits(options.workerMemoryBytes),
    });
    this.#dispatcher = new Dispatcher({
      workers: this.#workers,
      clock: options.clock,
      listener: options.listener,
      mayWatch: options.mayWatch,
      version: () => this.#publications.version,
      isFinal: () => this.#replacements.stopped,
    });
    this.#replacements = new Replacements(options.workers, {
      ...options,
      workers: this.#workers,
      start: (index) => this.#startSuccessor(index),
      resubmit: (calls) => this.#dispatcher.resubmit(calls),
    });
    // Of a thread that has a lane its task tells as well.
    this.#piscina.on("error", (error: unknown) => {
      this.#threadFailure = error;
    });
    this.#piscina.on("workerDestroy", () => setImmediate(() => this.#endStranded()));
    for (let index = 0; index < options.workers; index++) {
      this.#workers.push(this.#startWorker(index));
    }
  }

  /** Resolves with what the modules offer when every worker has loaded them. */
  async loaded(): Promise<readonly ServiceDescription[]> {
    await Promise.all(this.#workers.map((worker) => worker.loaded));
    return this.#workers[0]!.services;
  }

  /**
   * Has every worker make its handlers. Resolves when all have.
   *
   * @param opening what a worker is given for that, made anew for each
   */
  async begin(opening: () => Opening): Promise<void> {
    this.#opening = opening;
    for (const worker of this.#workers) worker.begin(opening());
    await Promise.all(this.#workers.map((worker) => worker.ready));
    this.#begun = true;
    this.#replacements.watchMemory();
  }

  /** Workers that were above `workerMemory`. */
  get recycled(): number {
    return this.#replacements.recycled;
  }

  get workers(): readonly LaneWorker[] {
    return this.#workers;
  }

  get waiting(): number {
    return this.#dispatcher.waiting;
  }

  /** Background promises that have not settled, in all workers. */
  get background(): number {
    return this.#workers.reduce(
      (sum, worker) => sum + (worker.state === "dead" ? 0 : worker.lane.background),
      0,
    );
  }

  /** Calls whose handler has not settled. */
  get running(): number {
    let count = 0;
    for (const worker of this.#workers) for (const _ of worker.lane.started()) count++;
    return count;
  }

  get readyLanes(): number {
    return this.#workers.filter((worker) => worker.state === "ready").length;
  }

  /** The calls that wait for a lane, or have one and no reply yet; with each, whether it has started. */
  *calls(): Generator<[Call, boolean]> {
    for (const call of this.#dispatcher.waitingCalls) yield [call, false];
    for (const { lane } of this.#workers) for (const call of lane.held()) yield [call, lane.hasStarted(call)];
  }

  status(): LaneStatus[] {
    const nowMs = this.#options.clock.now();
    return this.#workers.map((worker) => ({
      ...worker.usage(nowMs),
      index: worker.index,
      state: stateOf(worker, nowMs),
      inFlight: worker.lane.inFlight,
      queued: worker.lane.queued,
      restarts: this.#replacements.counts[worker.index]!,
      busyUs: worker.lane.busyUs >>> 0,
    }));
  }

  submit(calls: readonly Call[], count: number): void {
    this.#dispatcher.submit(calls, count);
  }

  withdraw(call: Call): boolean {
    return this.#dispatcher.withdraw(call);
  }

  abort(call: Call, reason: string): void {
    const worker = this.#workers[call.lane];
    // For `stopping`, which synchronous code reads. A protected call keeps its protection.
    worker?.lane.abort(call, 0);
    worker?.lane.post({ kind: "abort", slot: call.slot, serial: call.serial | 0, reason });
    if (worker !== undefined) this.#replacements.suspect(worker);
  }

  /** Tells running calls the times of a stop, or that there is none: ms on the clock, 0 for none. */
  setStopTimes(noticeAtMs: number, lastCallAtMs: number): void {
    this.#stopTimes = { noticeAtMs, lastCallAtMs };
    for (const worker of this.#workers) worker.lane.setStopTimes(noticeAtMs, lastCallAtMs);
  }

  /** Stops replacing workers that end: what ends now ends in a stop. */
  stopReplacing(): void {
    this.#replacements.stop();
    this.#piscina.options.minThreads = 0;
    this.#dispatcher.refuseIfHopeless();
  }

  /** The services that the modules offer; known when loaded. */
  get services(): readonly ServiceDescription[] {
    return this.#workers[0]!.services;
  }

  /** Asks every ready worker for a step of its end; those that do not answer are waited for by the caller. */
  async ask(kind: "flush" | "close" | "reload", withinMs?: number): Promise<readonly LifeFailure[]> {
    const ready = this.#workers.filter((worker) => worker.state === "ready");
    const failures = await Promise.all(ready.map((worker) => worker.ask(kind, withinMs)));
    return failures.flat();
  }

  /** Terminates one worker. Resolves with whether its thread left in time. */
  terminate(worker: LaneWorker, waitMs: number): Promise<boolean> {
    return worker.terminate(waitMs);
  }

  /** Ends all threads, bounded in time. Returns how many could not be ended. */
  async destroy(waitMs: number): Promise<number> {
    this.stopReplacing();
    this.#dispatcher.stop();
    this.#publications.close();
    const open = this.#workers.filter((worker) => worker.state !== "dead");
    const left = await Promise.all(open.map((worker) => worker.terminate(waitMs)));
    const stuck = left.filter((gone) => !gone).length;
    // With a thread stuck in native code this would never resolve.
    if (stuck === 0) await this.#piscina.destroy();
    return stuck;
  }

  replied(call: Call, result: number, bytes: Buffer, start: number, end: number): void {
    this.#listener.replied(call, outcomeOfResult[result]!, bytes, start, end);
  }

  drained(): void {
    this.#listener.repliesDrained();
  }

  progressed(): void {
    this.#dispatcher.progressed();
  }

  log(message: Extract<FromWorker, { kind: "log" }>): void {
    this.#options.log(message.level, message.message, message.fields);
  }

  published(from: LaneWorker, message: Extract<FromWorker, { kind: "publish" }>): void {
    this.#publications.publish(from, message, this.#workers);
  }

  ended(worker: LaneWorker, error: unknown): void {
    const unstarted = worker.lane.takeBack();
    const died = worker.lane.abandon();
    if (error !== undefined && !this.#replacements.stopped && this.#begun) {
      this.#options.log("error", "a worker ended and is replaced", {
        worker: worker.index,
        error: error instanceof Error ? error.message : String(error),
        ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
        cut: died.length,
        takenBack: unstarted.length,
      });
      this.#replacements.replace(worker.index, worker.wasReady);
    }
    // Before anybody hears of it and goes on reading: what comes later must not pass what was taken back.
    if (unstarted.length > 0) this.#dispatcher.resubmit(unstarted);
    for (const call of died) this.#listener.died(call);
    this.#dispatcher.refuseIfHopeless();
  }

  /** Ends lanes that no thread will take: one that fails before it has a task leaves it in piscina's queue for ever. */
  #endStranded(): void {
    const why = this.#threadFailure ?? new Error("its thread could not start");
    for (let stranded = this.#piscina.queueSize; stranded > 0; stranded--) {
      this.#workers.find(({ waitsForThread }) => waitsForThread)?.fail(why);
    }
  }

  #startWorker(index: number): LaneWorker {
    const { modules, settings, extra, workers } = this.#options;
    const { version } = this.#publications;
    const published = this.#publications.lastValues();
    const start = { modules, settings, published, version, copies: workers + 1 };
    const worker = new LaneWorker(index, { piscina: this.#piscina, start, extra }, this);
    worker.lane.setStopTimes(this.#stopTimes.noticeAtMs, this.#stopTimes.lastCallAtMs);
    return worker;
  }

  #startSuccessor(index: number): void {
    const worker = this.#startWorker(index);
    this.#workers[index] = worker;
    worker.loaded.then(() => worker.begin(this.#opening!())).catch(() => {});
    worker.ready.then(() => this.#dispatcher.submitBacklog()).catch(() => {});
  }

  /** Takes back every call that has not started and refuses it. */
  refuseUnstarted(): void {
    this.#dispatcher.refuseUnstarted();
  }
}

/**
 * V8's own limit ends a worker that grows faster than it can be looked at. It is above ours, so that an
 * orderly end comes first; see the README for what V8 aborts regardless.
 */
function hardLimits(workerMemoryBytes: number | undefined): {
  resourceLimits?: { maxOldGenerationSizeMb: number };
} {
  if (workerMemoryBytes === undefined) return {};
  return { resourceLimits: { maxOldGenerationSizeMb: Math.ceil((1.5 * workerMemoryBytes) / 2 ** 20) } };
}

function stateOf(worker: LaneWorker, nowMs: number): LaneStatus["state"] {
  switch (worker.state) {
    case "starting":
    case "loaded":
      return "starting";
    case "ready":
      return isStanding(worker, nowMs) ? "standing" : "ready";
    default:
      return worker.state;
  }
}
