/** Stand-ins for what surrounds a call: callers that keep what they are told, lanes that do as a test says. */
import { Call, type Caller } from "../../../src/calls/call.ts";
import type { ArrivedMessage } from "../../../src/calls/desk.ts";
import type { Lanes } from "../../../src/calls/lanes.ts";
import type { Method } from "../../../src/calls/method-table.ts";
import type { Outcome } from "../../../src/calls/outcome.ts";

/** A method with everything that a test does not care about filled in. */
export function createMethod(given: Partial<Method> = {}): Method {
  return {
    index: 0,
    service: "Calc",
    name: "add",
    oneway: false,
    timeoutMs: 0,
    idempotent: false,
    runs: "worker",
    ...given,
  };
}

/** A message whose name is `name` and whose arguments are `body`. */
export function createMessage(name: string, body = "", seqid = 1, type = 1): ArrivedMessage {
  const bytes = Buffer.from(`${name}${body}`, "latin1");
  return {
    bytes,
    start: 0,
    end: bytes.length,
    nameStart: 0,
    nameEnd: name.length,
    bodyStart: name.length,
    type,
    seqid,
    envelope: null,
  };
}

/** What a caller was given for one call. */
export interface Answered {
  readonly serial: number;
  readonly seqid: number;
  readonly outcome: Outcome;
  readonly text: string;
}

/** A connection that keeps its replies. Its kernel takes them at `flush`, unless `held`. */
export class FakeCaller implements Caller {
  readonly id: number;
  readonly peer = "127.0.0.1:1";
  readonly peerWords: Int32Array = new Int32Array(5);
  readonly replyForm = 0;
  touched = false;
  onewayLane: { readonly index: number } | null = null;
  onewayPosition = 0;
  /** The kernel takes nothing. */
  held = false;
  /** What became of replies that the kernel could not take: they are orphaned. */
  gone = false;
  inFlight = 0;
  flushes = 0;
  resumed = 0;
  readonly answered: Answered[] = [];
  readonly left: number[] = [];
  #unwritten: Call[] = [];
  readonly #settle: (call: Call, outcome: Outcome) => void;

  constructor(settle: (call: Call, outcome: Outcome) => void, id = 1) {
    this.#settle = settle;
    this.id = id;
  }

  enter(_call: Call): void {
    this.inFlight++;
  }

  leave(call: Call): void {
    this.inFlight--;
    this.left.push(call.serial);
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    const text = Buffer.from(bytes.subarray(start, end)).toString("utf8");
    this.answered.push({ serial: call.serial, seqid: call.seqid, outcome: call.pendingOutcome, text });
    this.#unwritten.push(call);
  }

  flush(): void {
    this.flushes++;
    if (this.held) return;
    const calls = this.#unwritten;
    this.#unwritten = [];
    for (const call of calls) {
      this.inFlight--;
      this.#settle(call, this.gone ? "orphaned" : call.pendingOutcome);
    }
  }

  resume(): void {
    this.resumed++;
  }

  /** The texts of all replies, in the order in which they came. */
  get texts(): string[] {
    return this.answered.map(({ text }) => text);
  }
}

/** Lanes that keep what they are handed until the test decides. */
export class FakeLanes implements Lanes {
  readonly handed: Call[] = [];
  readonly aborted: { serial: number; reason: string }[] = [];
  waiting = 0;

  submit(calls: readonly Call[], count: number): void {
    for (let at = 0; at < count; at++) {
      const call = calls[at]!;
      call.stage = "handed";
      call.lane = 0;
      this.handed.push(call);
    }
  }

  /** Whether calls have started by now. */
  started = true;

  withdraw(call: Call): boolean {
    const at = this.handed.indexOf(call);
    if (this.started || at < 0) return false;
    this.handed.splice(at, 1);
    call.stage = "waiting";
    return true;
  }

  abort(call: Call, reason: string): void {
    this.aborted.push({ serial: call.serial, reason });
  }
}

const nobody: Caller = new FakeCaller(() => {});
let serials = 0;

/** A call that waits with these bytes, as the desk hands it to lanes. */
export function createCall(bytes: Buffer, caller: Caller = nobody, method: Method = createMethod()): Call {
  const call = new Call();
  call.stage = "waiting";
  call.caller = caller;
  call.method = method;
  call.serial = ++serials;
  call.seqid = serials;
  call.bytes = bytes;
  call.start = 0;
  call.bodyStart = 0;
  call.end = bytes.length;
  call.inLane = true;
  return call;
}

/** Calls whose messages follow each other in one buffer, as one read yields them. */
export function createRun(messages: readonly Buffer[], caller?: Caller): Call[] {
  const bytes = Buffer.concat(messages);
  let at = 0;
  return messages.map((message) => {
    const call = createCall(bytes, caller);
    call.start = at;
    call.bodyStart = at;
    at += message.length;
    call.end = at;
    return call;
  });
}
