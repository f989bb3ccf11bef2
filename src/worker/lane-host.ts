/** Runs one lane in this thread: load, begin, take calls, flush, close. */
import { getHeapStatistics } from "node:v8";
import { type MessagePort, threadId } from "node:worker_threads";
import { LaneCallLink } from "../pool/call-link.ts";
import type { FromWorker, ToWorker } from "../pool/control-messages.ts";
import { CallResult, Control, viewLaneMemory } from "../pool/lane-layout.ts";
import { type LaneCall, LaneLoop } from "../pool/lane-loop.ts";
import type { RunResult } from "../service/answers.ts";
import type { LogFunction } from "../service/define.ts";
import { type LifeStep, runSteps } from "../service/life-steps.ts";
import { Runner } from "../service/runner.ts";
import { describeError } from "../service/thrown.ts";
import { connectState } from "../state/state-client.ts";
import { createCodecs } from "../wire/codecs.ts";
import { ReplyForm } from "../wire/reply-form.ts";
import { deflateMessage } from "../wire/zlib-transform.ts";
import type { WorkerOpening, WorkerTask } from "./entry.ts";
import { PublishedValues } from "./published-values.ts";
import { ServiceOpenError, WorkerService } from "./services.ts";
import { type CallTracer, createCallTracer } from "./tracing.ts";

const results: Record<RunResult, number> = {
  completed: CallResult.COMPLETED,
  failed: CallResult.FAILED,
  rejected: CallResult.REJECTED,
  broken: CallResult.BROKEN,
};

const onewayResults: Record<RunResult, number> = {
  completed: CallResult.ONEWAY,
  failed: CallResult.ONEWAY_FAILED,
  rejected: CallResult.ONEWAY_REJECTED,
  broken: CallResult.ONEWAY_BROKEN,
};

const memoryIntervalMs = 500;

/** A reload has no deadline of the server's; one that hangs is reported after this, in ms. */
const longestReloadMs = 600_000;

export class LaneHost {
  readonly #task: WorkerTask;
  readonly #loop: LaneLoop;
  readonly #link: LaneCallLink;
  readonly #runner: Runner;
  readonly #published: PublishedValues;
  readonly #begin = Promise.withResolvers<WorkerOpening>();
  #services: WorkerService[] = [];
  /** Undefined when nobody wants spans. */
  #tracer: CallTracer | undefined;

  constructor(task: WorkerTask) {
    this.#task = task;
    const memory = viewLaneMemory(task.start.shared);
    const log = this.#log;
    this.#link = new LaneCallLink(memory, {
      longestProtectionMs: task.extra.longestProtectionMs,
      wakeMain: () => this.#post(null),
      log: (message, error, fields) => log("error", message, { ...fields, ...describeError(error) }),
    });
    this.#runner = new Runner({
      codecs: createCodecs(task.extra),
      link: this.#link,
      exposeErrors: task.extra.exposeErrors,
      log,
      reply: (slot, result, oneway, bytes, start, end) =>
        this.#reply(slot, (oneway ? onewayResults : results)[result], bytes, start, end),
    });
    const runner = new RingRunner(this.#runner);
    this.#loop = new LaneLoop(memory, task.port, runner, (message) => this.#receive(message));
    this.#published = new PublishedValues(task.start, this.#post);
  }

  /** Rejects when the lane could not be started. Else it lasts until the main thread ends the thread. */
  async run(): Promise<never> {
    // What nobody awaited must not take the calls of others along; an uncaught throw still ends the thread.
    process.on("unhandledRejection", (error) => {
      this.#log("error", "a promise was rejected and nobody handled it", describeError(error));
    });
    this.#loop.listen();
    try {
      await this.#open();
    } catch (error) {
      this.#post({ kind: "failed", ...describeFailure(error) });
      throw error;
    }
    this.#post({ kind: "ready" });
    this.#loop.start();
    if (this.#task.extra.watchMemory) setInterval(() => this.#sayMemory(), memoryIntervalMs).unref();
    return new Promise<never>(() => {});
  }

  async #open(): Promise<void> {
    const { modules, settings, lane } = this.#task.start;
    this.#services = await Promise.all(modules.map((module) => WorkerService.load(module)));
    this.#post({ kind: "loaded", threadId, services: this.#services.map((service) => service.describe()) });
    const { stateChannel, resources } = await this.#begin.promise;
    const proxies = connectState(stateChannel, resources);
    const link = {
      worker: lane,
      settings,
      log: this.#log,
      published: (service: number) => this.#published.last(service),
      onPublish: (service: number, listener: (value: unknown) => void) =>
        this.#published.listen(service, (value) =>
          this.#guard("an onPublish listener failed", () => listener(value)),
        ),
      publish: (service: number, value: unknown) => this.#published.publish(service, value),
    };
    for (const [index, service] of this.#services.entries()) {
      await service.open(index, link, proxies);
    }
    this.#tracer = await createCallTracer();
    for (const { definition, methods, handler } of this.#services) {
      const { name, service } = definition;
      this.#runner.add(name, service, methods, this.#tracer?.traced(name, methods, handler) ?? handler);
    }
    this.#loop.applied(this.#published.version);
  }

  #reply(slot: number, result: number, bytes: Buffer, start: number, end: number): void {
    // Compressed here, so that the main thread need not do it.
    const compressed = end > start && (this.#link.replyFormOf(slot) & ReplyForm.ZLIB) !== 0;
    if (!compressed) this.#loop.reply(slot, result, bytes, start, end);
    else {
      const reply = deflateMessage(bytes, start, end);
      this.#loop.reply(slot, result, reply, 0, reply.length);
    }
  }

  #receive(message: Exclude<ToWorker, null>): void {
    switch (message.kind) {
      case "begin":
        this.#begin.resolve(message.opening as WorkerOpening);
        break;
      case "abort":
        this.#link.aborted(message.slot, message.serial, message.reason);
        break;
      case "published":
        this.#published.apply(message);
        this.#loop.applied(message.version);
        break;
      case "publishDone":
        this.#published.done(message.id);
        break;
      case "ping":
        this.#post({ kind: "pong" });
        break;
      case "reload":
        this.#answer(
          "reloaded",
          this.#services.map((service) => service.reloadStep()),
          longestReloadMs,
        );
        break;
      case "flush":
        this.#answer(
          "flushed",
          [...lastFirst(this.#services, (service) => service.flushSteps()), ...this.#traceSteps()],
          message.withinMs,
        );
        break;
      case "close":
        this.#answer(
          "closed",
          lastFirst(this.#services, (service) => service.closeSteps()),
          message.withinMs,
        );
        break;
    }
  }

  #traceSteps(): LifeStep[] {
    const warn = (error: unknown): void =>
      this.#log("warn", "spans could not be handed over", describeError(error));
    return this.#tracer === undefined ? [] : [this.#tracer.flushStep(warn)];
  }

  async #answer(
    kind: "reloaded" | "flushed" | "closed",
    steps: readonly LifeStep[],
    withinMs: number,
  ): Promise<void> {
    const { failed } = await runSteps(steps, withinMs);
    this.#post({ kind, failures: failed });
  }

  /** Runs code of the service that must not end the worker. */
  #guard(message: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#log("error", message, describeError(error));
    }
  }

  #sayMemory(): void {
    const { used_heap_size, external_memory } = getHeapStatistics();
    const { control } = viewLaneMemory(this.#task.start.shared);
    Atomics.store(control, Control.MEMORY_KIB, (used_heap_size + external_memory) >> 10);
  }

  readonly #post = (message: FromWorker, transfer?: readonly MessagePort[]): void =>
    this.#task.port.postMessage(message, transfer);

  readonly #log: LogFunction = (level, message, fields = {}) => {
    const withWorker = { worker: this.#task.start.lane, ...fields };
    this.#post({ kind: "log", level, message, fields: withWorker });
  };
}

function lastFirst(
  services: readonly WorkerService[],
  stepsOf: (service: WorkerService) => LifeStep[],
): LifeStep[] {
  return services.toReversed().flatMap(stepsOf);
}

/** Gives the loop's calls to the runner in the runner's words. */
class RingRunner {
  readonly #runner: Runner;
  readonly #call = {
    slot: 0,
    bytes: Buffer.alloc(0),
    bodyStart: 0,
    end: 0,
    methodIndex: 0,
    seqid: 0,
    protocol: 0,
    framed: false,
    headers: null as Buffer | null,
  };

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  run(from: LaneCall): boolean {
    const call = this.#call;
    call.slot = from.slot;
    call.bytes = from.bytes as Buffer<ArrayBuffer>;
    call.bodyStart = from.bodyStart;
    call.end = from.end;
    call.methodIndex = from.methodIndex;
    call.seqid = from.seqid;
    call.protocol = from.replyForm & ReplyForm.PROTOCOL_MASK;
    call.framed = (from.replyForm & ReplyForm.FRAMED) !== 0;
    call.headers = from.headers;
    return this.#runner.run(call);
  }
}

function describeFailure(error: unknown): Omit<Extract<FromWorker, { kind: "failed" }>, "kind"> {
  const { error: message, code, stack: caughtAt } = describeError(error);
  // What the service's own code threw says more than where it was caught.
  const stack = error instanceof ServiceOpenError ? describeError(error.cause).stack : caughtAt;
  const thrown = error instanceof Error ? "SLUICE_HANDLER_FACTORY" : "SLUICE_WORKER_START";
  return { code: code ?? thrown, message, ...(stack === undefined ? {} : { stack }) };
}
