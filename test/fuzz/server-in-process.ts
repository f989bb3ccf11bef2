/**
 * The way of a call without sockets and threads: bytes are cut, calls pass the desk and the runner, replies come out.
 * What is checked of the replies is checked with readers that share nothing with the server's.
 */

import type { Call, Caller } from "../../src/calls/call.ts";
import { CallLedger } from "../../src/calls/call-ledger.ts";
import { CallDesk } from "../../src/calls/desk.ts";
import { type Method, MethodTable } from "../../src/calls/method-table.ts";
import { cutSingle } from "../../src/net/single-message.ts";
import { LocalCalls } from "../../src/server/local-calls.ts";
import { detectCutter } from "../../src/wire/detect.ts";
import { Inbox } from "../../src/wire/inbox.ts";
import { type Cutter, type MessageView, WireError, type WireLimits } from "../../src/wire/message.ts";
import { ProtocolNumber } from "../../src/wire/protocol-names.ts";
import { ReplyForm } from "../../src/wire/reply-form.ts";
import Echo from "../gen/Echo.js";
import types from "../gen/kinds_types.js";
import { checkReply, typeOfCall } from "./reply-check.ts";

const limits: WireLimits = {
  maxFrameSizeBytes: 1 << 20,
  maxMessageSizeBytes: 1 << 20,
  recursionLimit: 32,
  maxContainerElements: 10_000,
};

/** What came of the bytes of one connection. */
export interface Outcome {
  readonly replies: readonly Buffer[];
  /** How many calls were cut, oneways among them. */
  readonly cut: number;
  /** The kind of the malformation that ended the connection, if one did. */
  readonly malformed: string | undefined;
  /** Bytes that wait for more. */
  readonly waiting: number;
}

let noted = "";
const handler = {
  kinds: (value: unknown) => value,
  extremes: () => new types.Kinds({}),
  keys: (given: object | null) => Object.keys(given ?? {}),
  header: (name: unknown) => name,
  deadline: () => 0,
  sleep: (ms: unknown) => ms,
  blob: (size: number) => Buffer.alloc(Math.min(Math.max(size, 0) || 0, 1000), "sluice "),
  refuse: (why: string) => {
    throw new types.Refused({ why });
  },
  nothing: () => {},
  note: (text: string) => {
    noted = String(text).slice(0, 10);
  },
  noted: () => (noted === "never" ? noted : "noted"),
};

/** One of these takes any number of connections, one after the other. */
export class ServerInProcess {
  readonly ledger: CallLedger = new CallLedger();
  readonly desk: CallDesk;

  constructor() {
    const local = new LocalCalls({ name: "Echo", service: Echo, handler }, limits, () => {});
    this.desk = new CallDesk({
      ledger: this.ledger,
      now: () => 0,
      setTimer: () => ({ cancel() {} }),
      encodeException: local.encodeException,
      answerLocally: (method, replyForm, message) => local.answer(method, method.index, replyForm, message),
      maxInFlight: 1000,
      maxBufferedBytes: 1 << 30,
    });
    const methods = local.methods.map(({ name, oneway }, index): Method => {
      return { service: "Echo", name, oneway, timeoutMs: 0, idempotent: false, index, runs: "main" };
    });
    const nowhere = { submit() {}, waiting: 0, withdraw: () => false, abort() {} };
    this.desk.open(new MethodTable(methods, "Echo", "Echo"), nowhere);
  }

  /**
   * A connection that sends these chunks. Each is overwritten when it was read, as the buffer that connections share is.
   *
   * @throws when something else than a malformation comes out, and when a reply is not well formed
   */
  connection(chunks: readonly Buffer[], borrowed: boolean): Outcome {
    const connection = new FuzzConnection(this.desk);
    for (const chunk of chunks) {
      connection.read(chunk, borrowed);
      if (borrowed) chunk.fill(0xaa);
    }
    return connection.outcome();
  }

  /** A body of HTTP, or a message of a WebSocket. @throws as `connection` */
  single(message: Buffer): Outcome {
    const connection = new FuzzConnection(this.desk);
    connection.readSingle(message);
    return connection.outcome();
  }

  /** @throws when a call was counted twice or not at all */
  checkAccount(): void {
    const { received, owed, malformed: _, orphanedStarted: __, ...outcomes } = this.ledger.totals();
    const sum = Object.values(outcomes).reduce((all, count) => all + count, 0);
    if (owed !== 0 || received !== sum)
      throw new Error(`received ${received}, outcomes ${sum}, owed ${owed}`);
  }
}

class FuzzConnection implements Caller {
  readonly id = 1;
  readonly peer = "fuzz";
  readonly peerWords: Int32Array = new Int32Array(5);
  replyForm = 0;
  onewayLane = null;
  onewayPosition = 0;
  touched = false;
  readonly #desk: CallDesk;
  readonly #inbox = new Inbox();
  readonly #replies: Buffer[] = [];
  #cutter: Cutter | undefined;
  #cut = 0;
  #malformed: string | undefined;
  #answered: Call[] = [];

  constructor(desk: CallDesk) {
    this.#desk = desk;
  }

  read(chunk: Buffer, borrowed: boolean): void {
    if (this.#malformed !== undefined) return;
    this.#inbox.append(chunk, borrowed);
    try {
      const { bytes, start, end } = this.#inbox.peek();
      this.#cutter ??= this.#detect(bytes, start, end);
      if (this.#cutter !== undefined) this.#inbox.cut(this.#cutter, this);
    } catch (error) {
      this.#fail(error);
    }
    this.#desk.endOfRead(this);
    this.#inbox.keep(true);
  }

  readSingle(message: Buffer): void {
    try {
      const { view, replyForm } = cutSingle(message, limits);
      this.replyForm = replyForm;
      this.message(view);
    } catch (error) {
      this.#fail(error);
    }
    this.#desk.endOfRead(this);
  }

  outcome(): Outcome {
    return {
      replies: this.#replies,
      cut: this.#cut,
      malformed: this.#malformed,
      waiting: this.#malformed === undefined ? this.#inbox.length : 0,
    };
  }

  message(view: MessageView): boolean {
    this.#cut++;
    const form = view.envelope?.replyForm ?? this.replyForm;
    const type = typeOfCall(view.bytes.subarray(view.start, view.end), form & ReplyForm.PROTOCOL_MASK);
    if (type !== 1 && type !== 4) throw new Error(`a message of type ${type} was taken for a call`);
    this.#desk.arrive(this, view, 0);
    return true;
  }

  enter(): void {}
  leave(): void {}
  resume(): void {}

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    const prefix = call.envelope?.prefix(end - start, false, call.pendingOutcome === "rejected");
    const reply = Buffer.concat([prefix ?? Buffer.alloc(0), bytes.subarray(start, end)]);
    checkReply(reply, call);
    this.#replies.push(reply);
    this.#answered.push(call);
  }

  flush(): void {
    for (const call of this.#answered.splice(0)) this.#desk.settle(call, call.pendingOutcome, 0);
  }

  #detect(bytes: Buffer, start: number, end: number): Cutter | undefined {
    const cutter = detectCutter(bytes, start, end, limits);
    if (cutter === undefined) return undefined;
    this.replyForm = ProtocolNumber[cutter.protocol] | (cutter.framed ? ReplyForm.FRAMED : 0);
    return cutter;
  }

  #fail(error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    this.#malformed = error.kind;
    this.#desk.ledger.malformed();
  }
}
