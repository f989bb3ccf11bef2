/** One call of a caller, over all of its attempts. */
import type { Timer } from "../lifecycle/clock.ts";
import type { Answer } from "./call-codec.ts";
import type { CallTrace } from "./errors.ts";
import type { ClientMethod } from "./method-table.ts";

/** What carries calls to one endpoint and brings the answers: a connection, or HTTP's several. */
export interface Carrier {
  readonly endpoint: { readonly name: string };
  /** Gives up waiting for the call: it has been settled, or goes another way. */
  release(call: ClientCall): void;
}

/** Why an attempt brought no answer. */
export interface Failure {
  /**
   * - `not-started`: the call has not run, and never will.
   * - `unknown`: it may have run.
   */
  readonly kind: "not-started" | "unknown";
  /** Whether the attempt cost a server anything: then it counts against the retry budget. */
  readonly reached: boolean;
  readonly cause: unknown;
}

/** Hears how attempts end. Calls that were settled meanwhile are not told of. */
export interface AttemptListener {
  answered(call: ClientCall, answer: Answer, carrier: Carrier): void;
  failed(call: ClientCall, failure: Failure, carrier: Carrier): void;
}

/**
 * - `waiting`: it is with no carrier: no endpoint is well, or a pause before the next attempt.
 * - `queued`: with a carrier, and not written yet.
 * - `sent`: written, in part at least.
 * - `settled`: its caller has the outcome.
 */
export type CallState = "waiting" | "queued" | "sent" | "settled";

export class ClientCall {
  readonly method: ClientMethod;
  readonly seqid: number;
  /** The message, with its frame's length where there is one. */
  readonly bytes: Buffer;
  readonly timeoutMs: number;
  readonly startedMs: number;
  /** Info headers; undefined for none. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  state: CallState = "waiting";
  attempts = 0;
  /** Where the last attempt went. */
  carrier: Carrier | undefined;
  endpoint: string | undefined;
  /** Endpoints that failed this call since all of them had been tried. */
  avoided: Set<object> | undefined;
  /** Attempts that may have run and were given up on. */
  unknowns = 0;
  lastCause: unknown;
  /** The pause before the next attempt. */
  pause: Timer | undefined;
  /** Takes the listener off the caller's AbortSignal. */
  unlisten: (() => void) | undefined;
  // Neighbours in the queue of deadlines.
  before: ClientCall | undefined;
  after: ClientCall | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    method: ClientMethod,
    seqid: number,
    bytes: Buffer,
    timing: { readonly timeoutMs: number; readonly startedMs: number },
    headers: Readonly<Record<string, string>> | undefined,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.method = method;
    this.seqid = seqid;
    this.bytes = bytes;
    this.timeoutMs = timing.timeoutMs;
    this.startedMs = timing.startedMs;
    this.headers = headers;
    this.resolve = resolve;
    this.reject = reject;
  }

  get deadlineMs(): number {
    return this.startedMs + this.timeoutMs;
  }

  /** Whether it may have run, the present attempt included. */
  get mayHaveRun(): boolean {
    return this.unknowns > 0 || this.state === "sent";
  }

  get trace(): CallTrace {
    return { endpoint: this.endpoint, attempts: this.attempts };
  }
}
