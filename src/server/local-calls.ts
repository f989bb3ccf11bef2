/** Calls that the main thread answers itself (fb303), and exceptions of our own, in the caller's form. */
import type { ArrivedMessage, EncodeException, LocalAnswer } from "../calls/desk.ts";
import type { Method } from "../calls/method-table.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { RunResult } from "../service/answers.ts";
import type { CallLink } from "../service/call-context.ts";
import type { GeneratedService, LogFunction } from "../service/define.ts";
import { type GeneratedMethod, methodsOf } from "../service/generated.ts";
import { Runner } from "../service/runner.ts";
import { type Codec, createCodecs } from "../wire/codecs.ts";
import { writeException } from "../wire/exception.ts";
import type { ReadLimits } from "../wire/read-limits.ts";
import { ReplyForm } from "../wire/reply-form.ts";
import { beginReply, endReply } from "../wire/reply-writer.ts";
import { deflateMessage } from "../wire/zlib-transform.ts";

/** A service whose handlers run on the main thread. */
export interface LocalService {
  readonly name: string;
  readonly service: GeneratedService;
  readonly handler: object;
}

const noReply: Buffer = Buffer.alloc(0);

/** What a call comes to. `broken` needs a stop that waits for it, and none waits for these. */
const outcomeOfResult: Readonly<Record<RunResult, Outcome>> = {
  completed: "completed",
  failed: "failed",
  rejected: "rejected",
  broken: "cut",
};

/** Answers calls of one local service. */
export class LocalCalls {
  readonly methods: readonly GeneratedMethod[];
  readonly #runner: Runner;
  readonly #codecs: readonly Codec[];
  #reply: Buffer = noReply;
  #outcome: Outcome = "failed";

  constructor(local: LocalService, limits: ReadLimits, log: LogFunction) {
    this.methods = methodsOf(local.service);
    this.#codecs = createCodecs(limits);
    this.#runner = new Runner({
      codecs: this.#codecs,
      link: noLink,
      exposeErrors: true,
      log,
      reply: (_slot, result, oneway, bytes, start, end) => {
        this.#outcome = oneway && result === "completed" ? "oneway" : outcomeOfResult[result];
        this.#reply = Buffer.from(bytes.subarray(start, end));
      },
    });
    this.#runner.add(local.name, local.service, this.methods, local.handler);
  }

  /** Answers a call at once: handlers here return values, never promises. */
  answer(method: Method, index: number, replyForm: number, message: ArrivedMessage): LocalAnswer {
    this.#reply = noReply;
    this.#runner.run({
      slot: 0,
      bytes: message.bytes,
      bodyStart: message.bodyStart,
      end: message.end,
      methodIndex: index,
      seqid: message.seqid,
      protocol: replyForm & ReplyForm.PROTOCOL_MASK,
      framed: (replyForm & ReplyForm.FRAMED) !== 0,
      headers: null,
    });
    const bytes = method.oneway ? noReply : inForm(replyForm, this.#reply);
    return { outcome: this.#outcome, bytes };
  }

  /** Writes an exception of our own. */
  readonly encodeException: EncodeException = (replyForm, name, seqid, type, message) => {
    const { writer } = this.#codecs[replyForm & ReplyForm.PROTOCOL_MASK]!;
    const framed = (replyForm & ReplyForm.FRAMED) !== 0;
    beginReply(writer, framed);
    writeException(writer, name, seqid, type, message);
    endReply(writer, framed);
    return inForm(replyForm, Buffer.from(writer.buffer.subarray(0, writer.position)));
  };
}

/** A reply as its form wants it, beyond what its writer does. */
function inForm(replyForm: number, reply: Buffer): Buffer {
  return (replyForm & ReplyForm.ZLIB) === 0 ? reply : deflateMessage(reply, 0, reply.length);
}

/** A call on the main thread can't be cut, and no drain waits for it. */
const noLink: CallLink = {
  serialOf: () => 0,
  peerOf: () => "",
  deadlineOf: () => undefined,
  isAborted: () => false,
  isWaitedFor: () => false,
  protect() {},
  unprotect() {},
  background() {},
  onAbort() {},
};
