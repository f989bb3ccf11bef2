/** What a call's caller gets: its result, an exception that the IDL declares, or one that says what went wrong. */
import { writeException } from "../wire/exception.ts";
import { MessageType } from "../wire/message.ts";
import { beginReply, endReply, type ReplyWriter } from "../wire/reply-writer.ts";
import type { CallContext } from "./call-context.ts";
import { CallBrokenError } from "./current-call.ts";
import type { LogFunction } from "./define.ts";
import type { GeneratedMethod } from "./generated.ts";
import { describeError, messageOf, tamed } from "./thrown.ts";

/** How a call ended, as the runner tells it. */
export type RunResult = "completed" | "failed" | "rejected" | "broken";

/** Takes replies. `bytes[start, end)` is valid during the call only; empty when no reply is owed. */
export type TakeReply = (
  slot: number,
  result: RunResult,
  oneway: boolean,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/** What the generated processor gives for a call: it writes the result, or a declared exception. */
export type Done = (error: unknown, result?: unknown) => void;

/** A call that waits for its answer. */
export interface Pending {
  readonly slot: number;
  readonly seqid: number;
  readonly framed: boolean;
  readonly writer: ReplyWriter;
  readonly service: string;
  readonly method: GeneratedMethod;
  /** Undefined for oneway calls. */
  readonly done: Done | undefined;
  readonly context: CallContext;
}

/** What is known of a call whose arguments can't be decoded. */
export type UnreadableCall = Pick<Pending, "slot" | "seqid" | "framed">;

export interface AnswersOptions {
  readonly reply: TakeReply;
  /** Whether callers see the text of errors that no IDL declares. */
  readonly exposeErrors: boolean;
  readonly log: LogFunction;
}

const internalErrorType = 6;
const protocolErrorType = 7;
const noBytes: Buffer = Buffer.alloc(0);

export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** The handler returned. */
  succeed(pending: Pending, value: unknown): void {
    const { writer, framed, done, method, slot } = pending;
    if (done === undefined) {
      this.#options.reply(slot, "completed", true, noBytes, 0, 0);
      return;
    }
    try {
      beginReply(writer, framed);
      done(null, value);
      if (method.returnsNothing === false && isEmptyStruct(writer)) {
        throw new TypeError(`the handler returned ${String(value)}, which is no result for ${method.name}`);
      }
      endReply(writer, framed);
    } catch (error) {
      this.#answerError(pending, new UnencodableResultError(method.name, error));
      return;
    }
    this.#options.reply(slot, "completed", false, writer.buffer, 0, writer.position);
  }

  /** The handler threw. */
  fail(pending: Pending, thrown: unknown): void {
    const error = tamed(thrown);
    if (error instanceof CallBrokenError) this.#answerBroken(pending, error);
    else if (pending.done === undefined || !this.#answerDeclared(pending, error)) {
      this.#answerError(pending, error);
    }
  }

  /** The arguments can't be decoded: the call never started. */
  refuse(call: UnreadableCall, method: GeneratedMethod, writer: ReplyWriter, error: unknown): void {
    const { slot, seqid, framed } = call;
    if (method.oneway) {
      this.#options.reply(slot, "rejected", true, noBytes, 0, 0);
      return;
    }
    beginReply(writer, framed);
    const text = `the arguments of ${method.name} can't be decoded: ${messageOf(error)}`;
    writeException(writer, method.name, seqid, protocolErrorType, text);
    endReply(writer, framed);
    this.#options.reply(slot, "rejected", false, writer.buffer, 0, writer.position);
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
    const { service, method } = pending;
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
    const { writer, framed, done, method, seqid, slot } = pending;
    if (done === undefined) {
      this.#options.reply(slot, result, true, noBytes, 0, 0);
      return;
    }
    beginReply(writer, framed);
    writeException(writer, method.name, seqid, type, text);
    endReply(writer, framed);
    this.#options.reply(slot, result, false, writer.buffer, 0, writer.position);
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
