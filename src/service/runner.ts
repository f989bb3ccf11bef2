/**
 * Runs calls: decode, handler, encode. The generated processor does the decoding and encoding, driven
 * through its callback form, because that writes a reply synchronously and without a promise.
 */

import type { Codec } from "../wire/codecs.ts";
import { writeException } from "../wire/exception.ts";
import { MessageType } from "../wire/message.ts";
import type { ProtocolReader } from "../wire/protocol.ts";
import { beginReply, endReply, type ReplyWriter } from "../wire/reply-writer.ts";
import { CallContext, type CallLink } from "./call-context.ts";
import { CallBrokenError, type CallHolder, callStorage } from "./current-call.ts";
import type { GeneratedService, LogFunction } from "./define.ts";
import type { GeneratedMethod } from "./generated.ts";
import { MissingMethodsError, NoHandlerError } from "./handler-errors.ts";

/** How a call ended, as the runner tells it. */
export type RunResult = "completed" | "failed" | "rejected" | "broken";

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

/** Takes replies. `bytes[start, end)` is valid during the call only; empty when no reply is owed. */
export type TakeReply = (
  slot: number,
  result: RunResult,
  oneway: boolean,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

export interface RunnerOptions {
  /** By protocol number. */
  readonly codecs: readonly Codec[];
  readonly link: CallLink;
  readonly reply: TakeReply;
  /** Whether callers see the text of errors that no IDL declares. */
  readonly exposeErrors: boolean;
  readonly log: LogFunction;
}

type Handler = Record<string, (...args: unknown[]) => unknown>;
type Done = (error: unknown, result?: unknown) => void;
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

/** What the runner has to remember of a call until it has its reply. */
interface Pending {
  readonly slot: number;
  readonly seqid: number;
  readonly framed: boolean;
  readonly writer: ReplyWriter;
  readonly runnable: Runnable;
  readonly done: Done | undefined;
  readonly context: CallContext;
}

const internalErrorType = 6;
const protocolErrorType = 7;
const noBytes: Buffer = Buffer.alloc(0);

export class Runner {
  readonly #options: RunnerOptions;
  readonly #runnables: Runnable[] = [];
  /** The call whose arguments are being decoded. The processor calls back before `run` returns. */
  #current: RunnableCall | undefined;
  #writer: ReplyWriter;
  #pending = false;
  /** The holder that no asynchronous call keeps, if its context is still the current one. */
  #holder: CallHolder | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#writer = options.codecs[0]!.writer;
  }

  /**
   * Adds a service. Its methods get the next indexes, in the order given.
   *
   * @throws {NoHandlerError} when it is no object, {@link MissingMethodsError} when it lacks some of them
   */
  add(name: string, service: GeneratedService, methods: readonly GeneratedMethod[], handler: object): void {
    if (handler === null || (typeof handler !== "object" && typeof handler !== "function"))
      throw new NoHandlerError(name, handler);
    const missing = methods.filter((method) => typeof (handler as Handler)[method.name] !== "function");
    if (missing.length > 0)
      throw new MissingMethodsError(
        name,
        missing.map((method) => method.name),
        handler,
      );
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
      this.#refuse(runnable, call, writer, error);
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
    const pending: Pending = { slot, seqid, framed, writer: this.#writer, runnable, done, context };
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
      this.#fail(pending, error);
      return;
    }
    if (later) {
      runnable.context = "own";
      this.#holder = undefined;
      this.#await(pending, result as PromiseLike<unknown>);
    } else {
      if (runnable.context === "unknown") runnable.context = "shared";
      holder.call = undefined;
      this.#succeed(pending, result);
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
      (value: unknown) => this.#succeed(pending, value),
      (error: unknown) => this.#fail(pending, error),
    );
  }

  #succeed(pending: Pending, value: unknown): void {
    const { writer, framed, done, runnable, slot } = pending;
    if (done === undefined) {
      this.#options.reply(slot, "completed", true, noBytes, 0, 0);
      return;
    }
    try {
      beginReply(writer, framed);
      done(null, value);
      if (runnable.method.returnsNothing === false && isEmptyStruct(writer)) {
        throw new TypeError(
          `the handler returned ${String(value)}, which is no result for ${runnable.method.name}`,
        );
      }
      endReply(writer, framed);
    } catch (error) {
      this.#answerError(pending, new UnencodableResultError(runnable.method.name, error));
      return;
    }
    this.#options.reply(slot, "completed", false, writer.buffer, 0, writer.position);
  }

  #fail(pending: Pending, thrown: unknown): void {
    const error = tamed(thrown);
    if (error instanceof CallBrokenError) this.#answerBroken(pending, error);
    else if (pending.done === undefined || !this.#answerDeclared(pending, error)) {
      this.#answerError(pending, error);
    }
  }

  /** Answers with an exception that the IDL declares; false when it declares none such. */
  #answerDeclared(pending: Pending, error: unknown): boolean {
    if (typeof error !== "object" || error === null) return false;
    const { writer, framed, done, slot } = pending;
    try {
      beginReply(writer, framed);
      done!(error);
      if (writer.messageType !== MessageType.REPLY) return false;
      endReply(writer, framed);
    } catch {
      return false;
    }
    this.#options.reply(slot, "completed", false, writer.buffer, 0, writer.position);
    return true;
  }

  #answerError(pending: Pending, error: unknown): void {
    const { service, method } = pending.runnable;
    const { peer, seqid, correlation } = pending.context;
    this.#options.log("error", "a call failed", {
      method: `${service}.${method.name}`,
      ...correlation,
      seqid,
      peer,
      ...describeError(error),
    });
    const text = this.#options.exposeErrors ? messageOf(error) : "internal error";
    this.#answerException(pending, "failed", internalErrorType, text);
  }

  #answerBroken(pending: Pending, error: CallBrokenError): void {
    this.#answerException(pending, "broken", internalErrorType, error.message);
  }

  #answerException(pending: Pending, result: RunResult, type: number, text: string): void {
    const { writer, framed, done, runnable, seqid, slot } = pending;
    if (done === undefined) {
      this.#options.reply(slot, result, true, noBytes, 0, 0);
      return;
    }
    beginReply(writer, framed);
    writeException(writer, runnable.method.name, seqid, type, text);
    endReply(writer, framed);
    this.#options.reply(slot, result, false, writer.buffer, 0, writer.position);
  }

  /** The arguments can't be decoded: the call never started. */
  #refuse(runnable: Runnable, call: RunnableCall, writer: ReplyWriter, error: unknown): void {
    const { slot, seqid, framed } = call;
    if (runnable.method.oneway) {
      this.#options.reply(slot, "rejected", true, noBytes, 0, 0);
      return;
    }
    beginReply(writer, framed);
    const text = `the arguments of ${runnable.method.name} can't be decoded: ${messageOf(error)}`;
    writeException(writer, runnable.method.name, seqid, protocolErrorType, text);
    endReply(writer, framed);
    this.#options.reply(slot, "rejected", false, writer.buffer, 0, writer.position);
  }
}

/** A handler's result can't be encoded as the IDL wants it. */
export class UnencodableResultError extends Error {
  readonly code = "SLUICE_UNENCODABLE_RESULT";
  override readonly name = "UnencodableResultError";

  constructor(method: string, cause: unknown) {
    super(`the result of ${method} can't be encoded: ${messageOf(cause)}`, { cause });
  }
}

/** Whether the message that was written last has a struct without fields. */
function isEmptyStruct(writer: ReplyWriter): boolean {
  return writer.position - writer.bodyAt === writer.emptyBodyBytes;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function"
  );
}

/** What was thrown, or an error in its place when it throws by itself if it is looked at. */
function tamed(thrown: unknown): unknown {
  try {
    if (thrown instanceof Error) void [thrown.message, thrown.stack, (thrown as { code?: unknown }).code];
    return thrown;
  } catch {
    return new Error("the handler threw an object that can't be looked at");
  }
}

/** The text of what was thrown or rejected, whatever that is. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "an error that can't be shown";
  }
}

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: messageOf(error) };
  // The log's fields travel to another thread: only what is a text.
  const { code, stack } = error as { code?: unknown; stack?: unknown };
  return {
    error: messageOf(error),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof stack === "string" ? { stack } : {}),
  };
}
