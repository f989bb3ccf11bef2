/** The main thread's side of the state thread: start, connect workers, flush, close, death. */
import { MessageChannel, Worker } from "node:worker_threads";
import { reviveError } from "./error-transfer.ts";
import { StateStartError, StateThreadDiedError } from "./errors.ts";
import type {
  MessageFromState,
  MessageToState,
  ResourceNames,
  ResourceReport,
  StateChannel,
  StateLogRecord,
  StateStartData,
} from "./messages.ts";

/** What `StateThread.start` takes. */
export interface StateThreadOptions {
  /** Service modules: absolute paths or file URLs, in the order in which their resources open. */
  readonly modules: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** Called once when the thread ends without having been closed. */
  readonly onDeath: (error: StateThreadDiedError) => void;
  readonly onLog: (record: StateLogRecord) => void;
  /** Aborts when nobody waits for the start any longer: what opens all the same is closed again. */
  readonly signal?: AbortSignal;
}

/** What came of a close. */
export interface CloseReport extends ResourceReport {
  /** False when the thread had not ended by the deadline: something of a service keeps it. */
  readonly ended: boolean;
}

/** How long resources that were opened for nobody may take to close, in ms. */
const abandonedCloseMs = 5_000;
/** The state thread's answer is due this long before the main thread gives up on it, in ms. */
const answerMarginMs = 50;

type Phase =
  | { readonly kind: "starting"; readonly settle: PromiseWithResolvers<ResourceNames> }
  | { readonly kind: "open" }
  | { readonly kind: "closing" }
  | { readonly kind: "ended"; readonly death: StateThreadDiedError | undefined };

interface Pending {
  readonly resolve: (report: ResourceReport) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The thread that holds every process resource. It is never terminated, because a thread that is terminated
 * while it holds a store can take the process with it; after `close` it ends by itself.
 */
export class StateThread {
  /** The process resources by service. Empty when there are none: then no thread is kept. */
  resources: ResourceNames = {};
  readonly #worker: Worker;
  readonly #options: StateThreadOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #phase: Phase;
  #uncaught: unknown;

  /**
   * Starts the thread, loads the modules there and opens their process resources in listed order.
   *
   * @throws {StateStartError} naming service, resource and cause; what was open is closed again and the thread gone
   */
  static async start(options: StateThreadOptions): Promise<StateThread> {
    const settle = Promise.withResolvers<ResourceNames>();
    const thread = new StateThread(options, settle);
    try {
      thread.resources = await settle.promise;
    } catch (error) {
      await thread.#exited;
      throw error;
    }
    if (Object.keys(thread.resources).length === 0) await thread.#exited;
    return thread;
  }

  private constructor(options: StateThreadOptions, settle: PromiseWithResolvers<ResourceNames>) {
    this.#options = options;
    this.#phase = { kind: "starting", settle };
    const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
    const workerData: StateStartData = { modules: options.modules, settings: options.settings };
    this.#worker = new Worker(new URL(`./state-entry.${extension}`, import.meta.url), {
      name: "sluice-state",
      workerData,
    });
    this.#worker.on("message", (message: MessageFromState) => this.#receive(message));
    this.#worker.on("error", (error) => {
      this.#uncaught = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        this.#onExit(code);
        resolve();
      });
    });
    options.signal?.addEventListener("abort", () => this.#abandon(), { once: true });
  }

  /** An `open()` that never ends must not keep the process; one that ends late is followed by its close. */
  #abandon(): void {
    if (this.#phase.kind !== "starting") return;
    this.#phase.settle.reject(endedInStart(0, new Error("the start was given up")));
    this.#phase = { kind: "closing" };
    this.#worker.postMessage({ kind: "close", id: 0, withinMs: abandonedCloseMs } satisfies MessageToState);
    this.#worker.unref();
  }

  /** Whether the thread can take calls. */
  get alive(): boolean {
    return this.#phase.kind === "open";
  }

  /** Whether the thread has ended without having been closed: nothing can be kept any more. */
  get died(): boolean {
    return this.#phase.kind === "ended" && this.#phase.death !== undefined;
  }

  /**
   * A channel for one worker: send it there with `[channel.port]` as transfer list. Undefined when there are no
   * process resources. When the thread has ended, every call through the channel fails.
   */
  connect(): StateChannel | undefined {
    if (Object.keys(this.resources).length === 0) return undefined;
    const { port1, port2 } = new MessageChannel();
    const sent = new SharedArrayBuffer(4);
    const channel: StateChannel = { port: port1, sent };
    // An ended thread's end of the channel is closed here: that fails the calls of the other end.
    if (this.#phase.kind === "ended") port1.close();
    else this.#worker.postMessage({ kind: "connect", channel } satisfies MessageToState, [port1]);
    return { port: port2, sent };
  }

  /**
   * Flushes every resource, behind all calls that any worker posted before, those of terminated workers included.
   * Never takes longer than `withinMs`.
   *
   * @throws {StateThreadDiedError} when the thread has died or dies meanwhile
   */
  flush(withinMs: number): Promise<ResourceReport> {
    return this.#ask("flush", withinMs);
  }

  /**
   * Closes every resource in reverse order of opening; the thread then ends by itself. Later calls of workers fail.
   * Never takes longer than `withinMs`.
   *
   * @throws {StateThreadDiedError} when the thread has died or dies meanwhile
   */
  async close(withinMs: number): Promise<CloseReport> {
    const deadlineMs = performance.now() + withinMs;
    const report = await this.#ask("close", withinMs);
    const ended = await this.#endsBy(deadlineMs);
    // One that hangs must not keep the process.
    if (!ended) this.#worker.unref();
    return { ...report, ended };
  }

  #ask(kind: "flush" | "close", withinMs: number): Promise<ResourceReport> {
    const phase = this.#phase;
    if (phase.kind === "ended") {
      if (phase.death !== undefined) return Promise.reject(phase.death);
      return Promise.resolve({ failed: [], timedOut: false });
    }
    if (kind === "close") this.#phase = { kind: "closing" };
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        resolve({ failed: [], timedOut: true });
      }, withinMs);
      const done = (): boolean => {
        clearTimeout(timer);
        return this.#pending.delete(id);
      };
      this.#pending.set(id, {
        resolve: (report) => done() && resolve(report),
        reject: (error) => done() && reject(error),
      });
      const stateMs = Math.max(withinMs * 0.8, withinMs - answerMarginMs);
      this.#worker.postMessage({ kind, id, withinMs: stateMs } satisfies MessageToState);
    });
  }

  async #endsBy(deadlineMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadlineMs - performance.now()), false);
    });
    const ended = await Promise.race([this.#exited.then(() => true), late]);
    clearTimeout(timer);
    return ended;
  }

  #receive(message: MessageFromState): void {
    switch (message.kind) {
      case "ready":
        if (this.#phase.kind !== "starting") return;
        this.#phase.settle.resolve(message.resources);
        this.#phase = Object.keys(message.resources).length > 0 ? { kind: "open" } : { kind: "closing" };
        return;
      case "failed": {
        if (this.#phase.kind !== "starting") return;
        const { service, resource, cause } = message;
        const error = new StateStartError(message.message, service, resource, reviveError(cause));
        this.#phase.settle.reject(error);
        this.#phase = { kind: "closing" };
        return;
      }
      case "log":
        this.#options.onLog(message.record);
        return;
      case "report":
        this.#pending.get(message.id)?.resolve(message.report);
    }
  }

  #onExit(code: number): void {
    const phase = this.#phase;
    const why = this.#uncaught instanceof Error ? this.#uncaught.message : `it exited with code ${code}`;
    const died = new StateThreadDiedError(
      `the state thread died: ${why}; what was acknowledged is kept, anything later is unknown`,
      { cause: this.#uncaught },
    );
    // A close that got its report is an orderly end.
    const orderly = phase.kind === "closing" && this.#pending.size === 0;
    this.#phase = { kind: "ended", death: orderly ? undefined : died };
    for (const pending of [...this.#pending.values()]) pending.reject(died);
    if (phase.kind === "starting") phase.settle.reject(endedInStart(code, this.#uncaught));
    else if (!orderly) this.#options.onDeath(died);
  }
}

function endedInStart(code: number, uncaught: unknown): StateStartError {
  const why =
    uncaught === undefined
      ? `it ended with code ${code}; does an open() wait for something that never comes?`
      : `it threw: ${uncaught instanceof Error ? uncaught.message : String(uncaught)}`;
  return new StateStartError(
    `the state thread did not get all process resources open: ${why}`,
    "",
    "",
    uncaught,
  );
}
