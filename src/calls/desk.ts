/**
 * Where every call passes: it is taken in, handed to a lane or refused, and its answer goes back to its
 * caller. The desk decides what becomes of a call; the ledger counts it.
 */
import type { Call, CallEnvelope, Caller } from "./call.ts";
import type { CallLedger } from "./call-ledger.ts";
import { Deadlines, type DeadlineTimer } from "./deadlines.ts";
import type { Lanes, LanesListener } from "./lanes.ts";
import type { Method, MethodTable } from "./method-table.ts";
import { ApplicationExceptionType, type Outcome } from "./outcome.ts";

/** A whole message, as it was cut: see `MessageView` in `wire/`. */
export interface ArrivedMessage {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly bodyStart: number;
  /** As it stands on the wire. Decides only whether a name that nobody knows is answered. */
  readonly type: number;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly seqid: number;
  readonly envelope: CallEnvelope | null;
}

/** Writes an exception in a caller's form, into bytes of its own. */
export type EncodeException = (
  replyForm: number,
  name: string,
  seqid: number,
  type: number,
  message: string,
) => Uint8Array;

/** What became of a call that was answered on the main thread. */
export interface LocalAnswer {
  readonly outcome: Outcome;
  /** Of its own; empty for a oneway. */
  readonly bytes: Uint8Array;
}

/** Answers calls on the main thread (fb303). */
export type AnswerLocally = (method: Method, replyForm: number, message: ArrivedMessage) => LocalAnswer;

/** What is known of a call that was cut. */
export interface CutCall {
  /** `Service.method`. */
  readonly method: string;
  /** The client's number for the call; many clients send 0 always. */
  readonly seqid: number;
  /** The caller's address and port; "unix" for a Unix domain socket. */
  readonly peer: string;
  /** From its arrival until it was cut, in ms. */
  readonly ageMs: number;
  /** The number of the worker that ran it. */
  readonly worker: number;
}

export interface DeskOptions {
  readonly ledger: CallLedger;
  readonly now: () => number;
  readonly setTimer: (atMs: number, fire: () => void) => DeadlineTimer;
  readonly encodeException: EncodeException;
  readonly answerLocally: AnswerLocally;
  /** Calls without an outcome, in all; more are refused. */
  readonly maxInFlight: number;
  /** What the messages of calls in flight may take; more are refused. */
  readonly maxBufferedBytes: number;
  /** Hears of each call whose deadline passes while its handler runs, before it is answered. Default: nobody. */
  readonly overdue?: (call: Call) => void;
}

const { UNKNOWN_METHOD, INTERNAL_ERROR } = ApplicationExceptionType;
const mostCutCallsKept = 1000;
/** The message type of calls that get no answer. */
const onewayType = 4;

export class CallDesk implements LanesListener {
  readonly ledger: CallLedger;
  readonly #options: DeskOptions;
  readonly #deadlines: Deadlines;
  readonly #touched: Caller[] = [];
  /** The calls of the read that is being worked on. */
  readonly #run: Call[] = [];
  #runLength = 0;
  #table: MethodTable | undefined;
  #lanes: Lanes | undefined;
  /** Callers that stopped reading because no lane had room. */
  readonly #blocked = new Set<Caller>();
  readonly cutCalls: CutCall[] = [];
  /** Calls that were refused because of a limit, by its option. */
  readonly refused: { maxInFlight: number; maxBuffered: number } = { maxInFlight: 0, maxBuffered: 0 };

  constructor(options: DeskOptions) {
    this.#options = options;
    this.ledger = options.ledger;
    this.#deadlines = new Deadlines(options.now, options.setTimer, (call) => this.#expire(call));
  }

  /** Opens the desk: from now on calls find methods and lanes. */
  open(table: MethodTable, lanes: Lanes): void {
    this.#table = table;
    this.#lanes = lanes;
  }

  get methods(): readonly Method[] {
    return this.#table?.methods ?? [];
  }

  /**
   * Takes in a message. Calls are handed over by `endOfRead`, so that those of one read travel together.
   *
   * @param refusal why nothing more is started for this caller, or undefined
   */
  arrive(caller: Caller, message: ArrivedMessage, nowMs: number, refusal?: string): void {
    const method = this.#table!.find(message.bytes, message.nameStart, message.nameEnd);
    if (method === undefined) {
      this.#arriveUnknown(caller, message, nowMs);
      return;
    }
    const call = this.ledger.receive(caller, method, message.seqid, nowMs);
    if (message.envelope !== null) envelop(call, message.envelope, nowMs);
    caller.enter(call);
    if (refusal !== undefined) this.#refuse(call, INTERNAL_ERROR, refusal);
    else if (method.runs === "main") this.#answerLocally(call, message);
    else if (this.ledger.owed > this.#options.maxInFlight) {
      this.#refuse(
        call,
        INTERNAL_ERROR,
        `overloaded: ${this.#options.maxInFlight} calls are in flight (maxInFlight); not started`,
      );
      this.refused.maxInFlight++;
    } else if (this.ledger.heldBytes > this.#options.maxBufferedBytes) {
      this.#refuse(
        call,
        INTERNAL_ERROR,
        `overloaded: calls in flight hold ${this.ledger.heldBytes} bytes (maxBuffered); not started`,
      );
      this.refused.maxBuffered++;
    } else this.#join(call, message);
  }

  /** Hands over what has arrived since the last time. False when some of it waits for room. */
  endOfRead(caller: Caller): boolean {
    const lanes = this.#lanes!;
    if (this.#runLength > 0) {
      const count = this.#runLength;
      this.#runLength = 0;
      lanes.submit(this.#run, count);
    }
    this.#flushTouched();
    if (lanes.waiting === 0) return true;
    this.#blocked.add(caller);
    return false;
  }

  replied(call: Call, outcome: Outcome, bytes: Uint8Array, start: number, end: number): void {
    call.inLane = false;
    // An expired or cut call was answered long ago.
    if (call.stage === "settled") this.ledger.release(call);
    else if (call.stage === "handed") {
      // Its handler let a stop end it.
      if (outcome === "cut") this.#recordCut(call);
      this.#answered(call, outcome, bytes, start, end);
    }
  }

  repliesDrained(): void {
    this.#flushTouched();
  }

  died(call: Call): void {
    call.inLane = false;
    if (call.stage === "settled") this.ledger.release(call);
    else if (call.stage === "handed") {
      this.#recordCut(call);
      this.#except(
        call,
        "cut",
        INTERNAL_ERROR,
        "the worker that ran the call ended; unknown whether the call took effect",
      );
      this.#flushTouched();
    }
  }

  unservable(call: Call): void {
    call.inLane = false;
    if (call.stage === "settled") this.ledger.release(call);
    else {
      this.#refuse(call, INTERNAL_ERROR, "no worker is left to run the call; not started");
      this.#flushTouched();
    }
  }

  /** Called when a worker woke the main thread. */
  onProgress: () => void = () => {};

  progressed(): void {
    this.onProgress();
  }

  roomAgain(): void {
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const caller of blocked) caller.resume();
  }

  /** Cuts a call that has started: its caller is answered now, whatever its handler still does. */
  cut(call: Call): void {
    if (call.stage !== "handed") return;
    this.#recordCut(call);
    this.#except(
      call,
      "cut",
      INTERNAL_ERROR,
      "the server stops and its grace period is over; unknown whether the call took effect",
    );
    this.#flushTouched();
  }

  /** A call's reply is with the kernel, or can't get there any more. */
  settle(call: Call, outcome: Outcome, nowMs: number): void {
    if (outcome === "orphaned" && hadStarted(call)) this.ledger.orphanedAfterStart();
    this.ledger.settle(call, outcome, nowMs);
    if (!call.inLane) this.ledger.release(call);
  }

  #arriveUnknown(caller: Caller, message: ArrivedMessage, nowMs: number): void {
    const given = message.bytes.toString("utf8", message.nameStart, message.nameEnd);
    const { unknown, name } = this.#table!.explain(given);
    const call = this.ledger.receive(
      caller,
      unknownMethod(name, message.type === onewayType),
      message.seqid,
      nowMs,
    );
    if (message.envelope !== null) envelop(call, message.envelope, nowMs);
    caller.enter(call);
    this.#refuse(
      call,
      UNKNOWN_METHOD,
      unknown === "method" ? `unknown method ${name}` : `unknown service in ${given}`,
    );
  }

  #join(call: Call, message: ArrivedMessage): void {
    call.bytes = message.bytes;
    call.start = message.start - call.headerBytes;
    call.bodyStart = message.bodyStart;
    call.end = message.end;
    call.inLane = true;
    this.ledger.hold(call, message.end - call.start);
    if (call.deadlineAtMs > 0) this.#deadlines.add(call);
    this.#run[this.#runLength++] = call;
  }

  #answerLocally(call: Call, message: ArrivedMessage): void {
    const { outcome, bytes } = this.#options.answerLocally(call.method!, call.replyForm, message);
    this.#answered(call, outcome, bytes, 0, bytes.length);
  }

  #answered(call: Call, outcome: Outcome, bytes: Uint8Array, start: number, end: number): void {
    const caller = call.caller!;
    if (call.method!.oneway) {
      caller.leave(call);
      this.ledger.settle(call, outcome, this.#options.now());
      this.ledger.release(call);
    } else {
      call.stage = "answered";
      call.pendingOutcome = outcome;
      caller.answer(call, bytes, start, end);
    }
    this.#touch(caller);
  }

  #refuse(call: Call, type: number, why: string): void {
    this.#except(call, "rejected", type, why);
  }

  /** Answers with an exception of our own, or with nothing when no answer is owed. */
  #except(call: Call, outcome: Outcome, type: number, text: string): void {
    const { method, seqid, caller } = call;
    if (method!.oneway) {
      caller!.leave(call);
      this.ledger.settle(call, outcome, this.#options.now());
      if (!call.inLane) this.ledger.release(call);
      this.#touch(caller!);
      return;
    }
    const bytes = this.#options.encodeException(call.replyForm, method!.name, seqid, type, text);
    call.stage = "answered";
    call.pendingOutcome = outcome;
    caller!.answer(call, bytes, 0, bytes.length);
    this.#touch(caller!);
  }

  #expire(call: Call): void {
    if (call.stage === "answered") return;
    const neverStarts = this.#lanes!.withdraw(call);
    if (neverStarts) call.inLane = false;
    else {
      this.#options.overdue?.(call);
      this.#lanes!.abort(call, "the call's deadline has passed");
    }
    const what = neverStarts ? "it was never started" : "unknown whether it took effect";
    this.#except(call, "expired", INTERNAL_ERROR, `the call's deadline has passed; ${what}`);
    this.#flushTouched();
  }

  #recordCut(call: Call): void {
    if (this.cutCalls.length >= mostCutCallsKept) return;
    const { method, seqid, caller, receivedAtMs, lane } = call;
    this.cutCalls.push({
      method: `${method!.service}.${method!.name}`,
      seqid,
      peer: caller!.peer,
      ageMs: Math.round(this.#options.now() - receivedAtMs),
      worker: lane,
    });
  }

  #touch(caller: Caller): void {
    if (caller.touched) return;
    caller.touched = true;
    this.#touched.push(caller);
  }

  #flushTouched(): void {
    // Flushing may settle calls, and that may touch further callers.
    for (let caller = this.#touched.pop(); caller !== undefined; caller = this.#touched.pop()) {
      caller.touched = false;
      caller.flush();
    }
  }
}

/** What the envelope says of a call. Of its method's time limit and its caller's patience the shorter one counts. */
function envelop(call: Call, envelope: CallEnvelope, nowMs: number): void {
  const { replyForm, headerBytes, timeoutMs } = envelope;
  call.envelope = envelope;
  call.replyForm = replyForm;
  call.headerBytes = headerBytes;
  if (timeoutMs > 0)
    call.deadlineAtMs = Math.min(call.deadlineAtMs || Number.POSITIVE_INFINITY, nowMs + timeoutMs);
}

/** Whether the handler of a call that has its answer ever ran. One that was withdrawn is in no lane. */
function hadStarted({ pendingOutcome, lane }: Call): boolean {
  return pendingOutcome !== "rejected" && (pendingOutcome !== "expired" || lane >= 0);
}

/**
 * Stands in for the method of a call whose name nobody knows. What its client sent as a oneway gets no answer, which
 * the client would take for the reply to its next call.
 */
function unknownMethod(name: string, oneway: boolean): Method {
  return {
    index: -1,
    service: "unknown",
    name,
    oneway,
    timeoutMs: 0,
    idempotent: false,
    runs: "main",
  };
}
