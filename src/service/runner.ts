/**
 * Runs calls: decode, handler, encode. The generated processor does the decoding and encoding, driven
 * through its callback form, because that writes a reply synchronously and without a promise.
 */

import type { Codec } from "../wire/codecs.ts";
import type { ProtocolReader } from "../wire/protocol.ts";
import type { ReplyWriter } from "../wire/reply-writer.ts";
import { Answers, type AnswersOptions, type Done, type Pending } from "./answers.ts";
import { CallContext, type CallLink } from "./call-context.ts";
import { type CallHolder, callStorage } from "./current-call.ts";
import type { GeneratedService } from "./define.ts";
import type { GeneratedMethod } from "./generated.ts";

/** A call to run. */
export interface RunnableCall {
  readonly slot: number;
  /** The arguments' struct is `bytes[bodyStart, end)`. */
  readonly bytes: Buffer;
  readonly bodyStart: number;
  readonly end: number;
  readonly methodIndex: number;
  readonly seqid: number;
  /** Which of the codecs. */
  readonly protocol: number;
  readonly framed: boolean;
  /** The header block that came with it: see `wire/info-headers.ts`. */
  readonly headers: Buffer | null;
}

export interface RunnerOptions extends AnswersOptions {
  /** By protocol number. */
  readonly codecs: readonly Codec[];
  readonly link: CallLink;
}

type Handler = Record<string, (...args: unknown[]) => unknown>;
type Process = (seqid: number, input: ProtocolReader, output: ReplyWriter) => void;

/** A method that can be run. */
interface Runnable {
  readonly service: string;
  readonly method: GeneratedMethod;
  readonly process: Process;
  readonly run: (...args: unknown[]) => unknown;
  /** Whether its calls have returned at once so far, and so may use one asynchronous context after the other. */
  context: "unknown" | "shared" | "own";
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #answers: Answers;
  readonly #runnables: Runnable[] = [];
  /** The call whose arguments are being decoded. The processor calls back before `run` returns. */
  #current: RunnableCall | undefined;
  #writer: ReplyWriter;
  #pending = false;
  /** The holder that no asynchronous call keeps, if its context is still the current one. */
  #holder: CallHolder | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#answers = new Answers(options);
    this.#writer = options.codecs[0]!.writer;
  }

  /** Adds a service with a handler that `checkHandler` found right. Its methods get the next indexes, in the order given. */
  add(name: string, service: GeneratedService, methods: readonly GeneratedMethod[], handler: object): void {
    const bridge: Handler = {};
    const Processor = service.Processor as unknown as new (handler: Handler) => Record<string, Process>;
    const processor = new Processor(bridge);
    for (const method of methods) {
      const runnable: Runnable = {
        service: name,
        method,
        process: processor[`process_${method.name}`]!.bind(processor) as Process,
        run: (handler as Handler)[method.name]!.bind(handler),
        context: "unknown",
      };
      this.#runnables.push(runnable);
      bridge[method.name] = this.#bridge(runnable);
    }
  }

  /** Starts a call. Returns true when its reply will come later. */
  run(call: RunnableCall): boolean {
    const runnable = this.#runnables[call.methodIndex]!;
    const { reader, writer } = this.#options.codecs[call.protocol]!;
    this.#current = call;
    this.#writer = writer;
    this.#pending = false;
    try {
      reader.reset(call.bytes, call.bodyStart, call.end);
      runnable.process(call.seqid, reader, writer);
    } catch (error) {
      // Errors of the handler and of encoding are caught below; what comes here is of decoding.
      if (this.#current === undefined) throw error;
      this.#answers.refuse(call, runnable.method, writer, error);
    }
    this.#current = undefined;
    return this.#pending;
  }

  /**
   * What the processor calls. Its length must not be the number of the method's arguments: the
   * processor would take it for a method that returns a promise.
   */
  #bridge(runnable: Runnable): (...args: unknown[]) => void {
    const { oneway } = runnable.method;
    const bridge = (...args: unknown[]): void => {
      const done = oneway ? undefined : (args.pop() as Done);
      this.#invoke(runnable, args, done);
    };
    return Object.defineProperty(bridge, "length", { value: 255 });
  }

  #invoke(runnable: Runnable, args: unknown[], done: Done | undefined): void {
    const { slot, seqid, framed, headers } = this.#current!;
    this.#current = undefined;
    const { service, method } = runnable;
    const context = new CallContext(this.#options.link, slot, service, method.name, seqid, headers);
    const pending: Pending = { slot, seqid, framed, writer: this.#writer, service, method, done, context };
    const holder = this.#enter(runnable);
    holder.call = context;
    let result: unknown;
    let later: boolean;
    try {
      result = runnable.run(...args);
      // Its `then` may be a getter that throws.
      later = isThenable(result);
    } catch (error) {
      holder.call = undefined;
      this.#answers.fail(pending, error);
      return;
    }
    if (later) {
      runnable.context = "own";
      this.#holder = undefined;
      this.#await(pending, result as PromiseLike<unknown>);
    } else {
      if (runnable.context === "unknown") runnable.context = "shared";
      holder.call = undefined;
      this.#answers.succeed(pending, result);
    }
  }

  /**
   * The holder of the asynchronous context that the handler runs in. A call that goes on asynchronously must not share
   * it: what a call before it has left behind (a timer) would see that call as its own.
   */
  #enter({ context }: Runnable): CallHolder {
    let holder = this.#holder;
    if (context !== "shared" || holder === undefined || callStorage.getStore() !== holder) {
      holder = { call: undefined };
      this.#holder = holder;
      callStorage.enterWith(holder);
    }
    return holder;
  }

  #await(pending: Pending, result: PromiseLike<unknown>): void {
    this.#pending = true;
    // A thenable of other make may settle twice or throw; a native promise does not.
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    promise.then(
      (value: unknown) => this.#answers.succeed(pending, value),
      (error: unknown) => this.#answers.fail(pending, error),
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function"
  );
}
