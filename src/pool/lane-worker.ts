/** One lane and the worker thread under it: its start, its orderly end, its death. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import type { Piscina } from "piscina";
import type { FromWorker, LaneStart, LifeFailure, ServiceDescription } from "./control-messages.ts";
import { Lane, type LaneListener } from "./lane.ts";
import { type Usage, WorkerUsage } from "./worker-usage.ts";

/**
 * - `starting`: the thread starts and loads the modules. → `loaded`, `dead`
 * - `loaded`: waits for `begin`, then makes its handlers. → `ready`, `dead`
 * - `ready`: takes calls. → `closing`, `dead`
 * - `closing`: takes no more calls, finishes what it has. → `dead`
 * - `dead`: the thread is gone, or will never answer again.
 */
export type LaneState = "starting" | "loaded" | "ready" | "closing" | "dead";

/** A lane's worker could not start: its module or its handler factory failed. */
export class LaneStartError extends Error {
  override readonly name = "LaneStartError";
  readonly code: string;

  /** @param stack where the worker failed; default: where this error was made */
  constructor(code: string, message: string, stack?: string) {
    super(message);
    this.code = code;
    if (stack !== undefined) this.stack = stack;
  }
}

/** What a lane's worker tells its pool. */
export interface LaneWorkerListener extends LaneListener {
  published(lane: LaneWorker, message: Extract<FromWorker, { kind: "publish" }>): void;
  log(message: Extract<FromWorker, { kind: "log" }>): void;
  /** The worker woke the main thread. */
  progressed(): void;
  /** The worker is dead. @param error why, when nobody asked it to end */
  ended(lane: LaneWorker, error: unknown): void;
}

/** How long a worker's resources may take to flush, or to close, when no stop says less, in ms. */
const usualStepMs = 5_000;

/** What `LaneWorker.start` needs beside its own. */
export interface LaneWorkerStart {
  readonly piscina: Piscina;
  readonly start: Omit<LaneStart, "lane" | "shared">;
  /** Further things for the worker's entry. */
  readonly extra: unknown;
}

/** What a worker is given so that it can make its handlers, with what of it is transferred. */
export interface Opening {
  readonly value: unknown;
  readonly transfer: readonly MessagePort[];
}

type Answer = Extract<FromWorker, { kind: "flushed" | "closed" | "reloaded" }>;

export class LaneWorker {
  readonly index: number;
  readonly lane: Lane;
  state: LaneState = "starting";
  /** How far the worker had come when it was last looked at, and when it was first seen there, in ms. */
  seenProgress = 0;
  movedAtMs = 0;
  /** CPU per call, in microseconds: a moving average. */
  callCostUs = 10;
  seenBusyUs = 0;
  seenTaken = 0;
  /** Whether it ever was ready: then its factory works, and a replacement need not wait. */
  wasReady = false;
  /** The services that its modules offer; known when loaded. */
  services: readonly ServiceDescription[] = [];
  readonly loaded: Promise<void>;
  readonly ready: Promise<void>;
  /** Resolves when the thread has left, however. */
  readonly ended: Promise<void>;
  readonly #port: MessagePort;
  readonly #listener: LaneWorkerListener;
  readonly #abort = new AbortController();
  readonly #piscina: Piscina;
  readonly #gates = {
    loaded: Promise.withResolvers<void>(),
    ready: Promise.withResolvers<void>(),
    emptied: Promise.withResolvers<void>(),
    ended: Promise.withResolvers<void>(),
  };
  readonly #answers = new Map<Answer["kind"], PromiseWithResolvers<readonly LifeFailure[]>>();
  readonly #usage = new WorkerUsage();
  #pong: PromiseWithResolvers<void> | undefined;
  #failure: LaneStartError | undefined;
  #threadId = -1;
  /** Whether a thread was sent its task. */
  #posted = false;

  constructor(index: number, options: LaneWorkerStart, listener: LaneWorkerListener) {
    const { port1, port2 } = new MessageChannel();
    this.index = index;
    this.#port = port1;
    this.#listener = listener;
    this.#piscina = options.piscina;
    this.lane = new Lane(index, port1, listener);
    this.loaded = this.#gates.loaded.promise;
    this.ready = this.#gates.ready.promise;
    this.ended = this.#gates.ended.promise;
    this.loaded.catch(() => {});
    this.ready.catch(() => {});
    port1.on("message", (message: FromWorker) => this.#receive(message));
    const start: LaneStart = { ...options.start, lane: index, shared: this.lane.memory.shared };
    const posted = (): void => {
      this.#posted = true;
    };
    const task = {
      // Read when the task is posted to a thread, and then only.
      get start(): LaneStart {
        posted();
        return start;
      },
      port: port2,
      extra: options.extra,
    };
    options.piscina.run(task, { signal: this.#abort.signal, transferList: [port2] }).then(
      () => this.#end(undefined),
      // When we terminate the thread, piscina says so before it has left: what it still finishes counts.
      (error: unknown) => this.#abort.signal.aborted || this.#end(error),
    );
  }

  /** Whether no thread has taken it yet. */
  get waitsForThread(): boolean {
    return this.state === "starting" && !this.#posted;
  }

  get threadId(): number {
    return this.#threadId;
  }

  /** Lets the worker make its handlers. */
  begin({ value, transfer }: Opening): void {
    this.lane.post({ kind: "begin", opening: value }, transfer);
  }

  /** Takes what replies there are. */
  drain(): number {
    const count = this.lane.drain(() => this.#receiveWaiting());
    if (count > 0) this.#learnCost();
    if (this.state === "closing") this.#lookEmpty();
    return count;
  }

  /** Gives it no more calls. Resolves when it has answered those that it has. */
  retire(): Promise<void> {
    this.state = "closing";
    this.#lookEmpty();
    return this.#gates.emptied.promise;
  }

  #lookEmpty(): void {
    if (this.lane.inFlight === 0 && this.lane.background === 0) this.#gates.emptied.resolve();
  }

  /**
   * Asks the worker for a step of its end, or a reload, and waits for its answer or its death.
   *
   * @param withinMs what the worker may take for a flush or close, in ms. Default: 5 s
   */
  ask(kind: "flush" | "close" | "reload", withinMs: number = usualStepMs): Promise<readonly LifeFailure[]> {
    const answer = kind === "flush" ? "flushed" : kind === "close" ? "closed" : "reloaded";
    const gate = Promise.withResolvers<readonly LifeFailure[]>();
    if (this.state === "dead") return Promise.resolve([endedBefore(this.index)]);
    this.#answers.set(answer, gate);
    if (kind === "close") this.state = "closing";
    this.lane.post(kind === "reload" ? { kind } : { kind, withinMs });
    return gate.promise;
  }

  /** Resolves when the worker has been in its event loop, or is dead. One at a time. */
  ping(): Promise<void> {
    this.#pong = Promise.withResolvers<void>();
    this.lane.post({ kind: "ping" });
    return this.#pong.promise;
  }

  /** Terminates the thread. Resolves with whether it left within `waitMs`: native code can't be stopped. */
  async terminate(waitMs: number): Promise<boolean> {
    const thread = this.#thread();
    const left = Promise.withResolvers<boolean>();
    thread?.once("exit", () => left.resolve(true));
    this.#abort.abort("terminated");
    const timeout = setTimeout(() => left.resolve(false), waitMs);
    const gone = thread === undefined || (await left.promise);
    clearTimeout(timeout);
    if (gone) this.#end(new Error("the worker was terminated"));
    return gone;
  }

  /** Ends it before a thread has taken it. */
  fail(error: unknown): void {
    this.#end(error);
    this.#abort.abort("no thread takes it");
  }

  /** Treats the worker as dead although its thread has not left. */
  giveUp(): void {
    this.#end(new Error("the worker could not be terminated"));
  }

  /** What its thread uses, for people who look. */
  usage(nowMs: number): Usage {
    return this.#usage.read(this.#thread(), nowMs);
  }

  #thread(): Worker | undefined {
    return this.#piscina.threads.find(({ threadId }) => threadId === this.#threadId);
  }

  #learnCost(): void {
    const { busyUs, progress } = this.lane;
    const taken = (progress - this.seenTaken) | 0;
    const spentUs = (busyUs - this.seenBusyUs) | 0;
    if (taken < 1 || spentUs <= 0) return;
    this.callCostUs += (spentUs / taken - this.callCostUs) / 8;
    this.seenBusyUs = busyUs;
    this.seenTaken = progress;
  }

  /**
   * Receives what was posted before now. Replies may be being taken at this moment, so a wake-up that is among it must
   * not take them too: it is seen to afterwards.
   */
  #receiveWaiting(): void {
    let woken = false;
    for (
      let got = receiveMessageOnPort(this.#port);
      got !== undefined;
      got = receiveMessageOnPort(this.#port)
    ) {
      if (got.message === null) woken = true;
      else this.#receive(got.message as FromWorker);
    }
    if (woken) setImmediate(() => this.#receive(null));
  }

  #receive(message: FromWorker): void {
    if (message === null) {
      this.drain();
      this.#listener.progressed();
      return;
    }
    switch (message.kind) {
      case "reply":
        this.lane.external(message);
        break;
      case "loaded":
        this.#threadId = message.threadId;
        this.services = message.services;
        this.state = "loaded";
        this.#gates.loaded.resolve();
        break;
      case "ready":
        this.state = "ready";
        this.wasReady = true;
        this.#gates.ready.resolve();
        break;
      case "pong":
        this.#pong?.resolve();
        break;
      case "failed":
        this.#failure = new LaneStartError(message.code, message.message, message.stack);
        break;
      case "publish":
        this.#listener.published(this, message);
        break;
      case "log":
        this.#listener.log(message);
        break;
      default:
        this.#answers.get(message.kind)?.resolve(message.failures);
        this.#answers.delete(message.kind);
    }
  }

  #end(cause: unknown): void {
    if (this.state === "dead") return;
    this.#receiveWaiting();
    this.drain();
    const error = this.#failure ?? cause;
    const expected = this.state === "closing" || this.#abort.signal.aborted;
    this.state = "dead";
    this.#gates.loaded.reject(error);
    this.#gates.ready.reject(error);
    for (const gate of this.#answers.values()) {
      gate.resolve([endedBefore(this.index)]);
    }
    this.#pong?.resolve();
    this.#port.close();
    this.#listener.ended(this, expected ? undefined : (error ?? new Error("its task ended")));
    this.#gates.emptied.resolve();
    this.#gates.ended.resolve();
  }
}

function endedBefore(index: number): LifeFailure {
  return { service: "", what: `worker ${index}`, message: "the worker ended before it answered" };
}
