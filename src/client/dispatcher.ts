/**
 * Brings calls to their end: chooses endpoints, judges what became of an attempt, repeats what may be repeated. Every
 * call that is started is settled, at its deadline at the latest.
 */
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { AttemptListener, Carrier, ClientCall, Failure } from "./call.ts";
import type { Answer } from "./call-codec.ts";
import { Deadlines } from "./deadlines.ts";
import type { AwayReason, Endpoint, EndpointListener } from "./endpoint.ts";
import type { EndpointSet } from "./endpoint-set.ts";
import {
  ApplicationError,
  ClosedError,
  DeadlineError,
  effectOf,
  messageOf,
  NotStartedError,
  rememberTrace,
  UnknownOutcomeError,
} from "./errors.ts";
import { backoffMs, RetryBudget, type RetryBudgetOptions } from "./retry-budget.ts";

/** How calls are repeated. */
export interface RetryOptions extends RetryBudgetOptions {
  /** How often an idempotent call whose outcome is unknown is made in all. Default 4. */
  readonly unknownAttempts?: number;
}

/** How a call ended, as it is counted. */
export type CallOutcome =
  | "ok"
  | "declared"
  | "application"
  | "not-started"
  | "unknown"
  | "deadline"
  | "aborted"
  | "closed";

/** Hears of what metrics count. */
export interface DispatchObserver {
  settled(call: ClientCall, outcome: CallOutcome): void;
  repeated(call: ClientCall, kind: Failure["kind"]): void;
  away(endpoint: Endpoint, reason: AwayReason): void;
}

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly retries: RetryOptions;
  readonly stallMs: number;
  readonly observer: DispatchObserver;
}

const firstPauseMs = 20;
const longestPauseMs = 1000;

export class Dispatcher implements EndpointListener, AttemptListener {
  /** Calls that are not settled. */
  inFlight = 0;
  readonly #options: DispatcherOptions;
  readonly #budget: RetryBudget;
  readonly #deadlines: Deadlines;
  /** Calls that wait until an endpoint is well. */
  readonly #waiting = new Set<ClientCall>();
  #endpoints: EndpointSet | undefined;
  #look: Timer | undefined;
  #drained: (() => void) | undefined;
  /** Why no endpoint was found or reached last. */
  lastTrouble: unknown;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#budget = new RetryBudget(options.clock, options.retries);
    this.#deadlines = new Deadlines(options.clock, (call) => this.#expire(call));
  }

  /** To be given before the first call. */
  use(endpoints: EndpointSet): void {
    this.#endpoints = endpoints;
  }

  start(call: ClientCall): void {
    this.inFlight++;
    this.#deadlines.add(call);
    this.#budget.deposit();
    this.#attempt(call);
    this.#look ??= this.#lookLater();
  }

  /** The caller wants it no longer. */
  abort(call: ClientCall, reason: unknown): void {
    if (call.state !== "settled") this.#reject(call, "aborted", reason);
  }

  /** Resolves when no call is in flight; `timeoutMs` later those that are left fail. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.inFlight === 0) return;
    const { clock } = this.#options;
    const timer = clock.setTimer(clock.now() + timeoutMs, () => {
      for (const call of this.#deadlines.all()) {
        // Giving one up may settle others.
        if (call.state === "settled") continue;
        const { mayHaveRun, method, trace } = call;
        const what = `the client was closed before the call was answered; ${effectOf(mayHaveRun)}`;
        this.#reject(call, "closed", new ClosedError(what, mayHaveRun, method.name, trace));
      }
    });
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    timer.cancel();
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#look?.cancel();
    this.#look = undefined;
    this.#deadlines.stop();
  }

  answered(call: ClientCall, answer: Answer, carrier: Carrier): void {
    if (call.state === "settled") return;
    call.endpoint = carrier.endpoint.name;
    switch (answer.kind) {
      case "result":
        this.#settle(call, "ok");
        call.resolve(answer.value);
        return;
      case "declared":
        rememberTrace(answer.error, call.trace);
        this.#reject(call, "declared", answer.error);
        return;
      case "application": {
        const { type, message, cause } = answer;
        const error = new ApplicationError(type, message, call.method.name, call.trace, cause);
        this.#reject(call, "application", error);
      }
    }
  }

  failed(call: ClientCall, failure: Failure, carrier: Carrier): void {
    if (call.state === "settled") return;
    call.state = "waiting";
    call.lastCause = causeOf(failure.cause) ?? call.lastCause;
    call.avoided ??= new Set();
    call.avoided.add(carrier.endpoint);
    if (failure.kind === "unknown") call.unknowns++;
    const why = this.#whyNotAgain(call, failure);
    if (why === undefined) {
      this.#options.observer.repeated(call, failure.kind);
      this.#attempt(call);
    } else this.#giveUp(call, why);
  }

  well(_endpoint: Endpoint): void {
    if (this.#waiting.size === 0) return;
    const calls = [...this.#waiting];
    this.#waiting.clear();
    for (const call of calls) {
      call.avoided?.clear();
      this.#attempt(call);
    }
  }

  away(endpoint: Endpoint, reason: AwayReason, cause: unknown): void {
    this.lastTrouble = cause ?? this.lastTrouble;
    this.#options.observer.away(endpoint, reason);
  }

  stalled(call: ClientCall): void {
    const { carrier } = call;
    if (!call.method.idempotent || carrier === undefined || !this.#endpoints!.hasWell) return;
    const sent = call.state === "sent";
    if (sent && !this.#budget.withdraw()) return;
    carrier.release(call);
    if (sent) call.unknowns++;
    call.state = "waiting";
    call.avoided ??= new Set();
    call.avoided.add(carrier.endpoint);
    this.#options.observer.repeated(call, sent ? "unknown" : "not-started");
    this.#attempt(call);
  }

  #whyNotAgain(call: ClientCall, { kind, reached, cause }: Failure): string | undefined {
    if (kind === "unknown" && !call.method.idempotent) return whatWasHeard(cause);
    if (kind === "unknown" && call.unknowns >= (this.#options.retries.unknownAttempts ?? 4)) {
      return `${whatWasHeard(cause)}, again and again`;
    }
    // What reached no server cost none.
    return reached && !this.#budget.withdraw() ? "the retry budget is used up" : undefined;
  }

  #attempt(call: ClientCall): void {
    const endpoints = this.#endpoints!;
    const endpoint = endpoints.choose(call.avoided);
    if (endpoint !== undefined) {
      call.attempts++;
      call.endpoint = endpoint.name;
      this.#send(call, endpoint);
    } else if (endpoints.hasWell) {
      // All were tried: once more from the beginning, a little later.
      call.avoided!.clear();
      this.#pause(call);
    } else this.#waiting.add(call);
  }

  #send(call: ClientCall, endpoint: Endpoint): void {
    try {
      endpoint.send(call);
    } catch (cause) {
      // TLS options or headers that Node refuses: it would do so at every attempt.
      call.carrier?.release(call);
      call.state = "waiting";
      call.lastCause = cause;
      this.#giveUp(call, `it can't be sent: ${messageOf(cause)}`);
    }
  }

  #pause(call: ClientCall): void {
    const { clock, random } = this.#options;
    const pauseMs = backoffMs(call.attempts - 1, firstPauseMs, longestPauseMs, random);
    call.pause = clock.setTimer(clock.now() + pauseMs, () => {
      call.pause = undefined;
      this.#attempt(call);
    });
  }

  #giveUp(call: ClientCall, why: string): void {
    const { method, trace, lastCause } = call;
    if (call.mayHaveRun) {
      const what = `unknown whether it took effect: ${why}`;
      this.#reject(call, "unknown", new UnknownOutcomeError(what, method.name, trace, lastCause));
    } else {
      this.#reject(
        call,
        "not-started",
        new NotStartedError(`not started: ${why}`, method.name, trace, lastCause),
      );
    }
  }

  #expire(call: ClientCall): void {
    const cause = call.lastCause ?? (call.attempts === 0 ? this.lastTrouble : undefined);
    const error = new DeadlineError(call.timeoutMs, call.mayHaveRun, call.method.name, call.trace, cause);
    this.#reject(call, "deadline", error);
  }

  #reject(call: ClientCall, outcome: CallOutcome, error: unknown): void {
    this.#settle(call, outcome);
    call.reject(error);
  }

  #settle(call: ClientCall, outcome: CallOutcome): void {
    const { carrier } = call;
    // What is queued is taken out by its state, so the state changes last.
    if (carrier !== undefined && call.state === "queued") carrier.release(call);
    call.state = "settled";
    call.carrier?.release(call);
    this.#deadlines.remove(call);
    this.#waiting.delete(call);
    call.pause?.cancel();
    call.unlisten?.();
    this.#options.observer.settled(call, outcome);
    if (--this.inFlight > 0) return;
    this.#drained?.();
  }

  /** Looks at silent links from time to time, while calls are in flight. */
  #lookLater(): Timer {
    const { clock, stallMs } = this.#options;
    return clock.setTimer(clock.now() + stallMs / 2, () => {
      this.#look = undefined;
      if (this.inFlight === 0) return;
      this.#endpoints!.checkSilence();
      this.#look = this.#lookLater();
    });
  }
}

/** A server's own words, as an error's cause. */
function causeOf(cause: unknown): unknown {
  const words = serversWords(cause);
  return words === undefined ? cause : new Error(words);
}

/** What is known of an attempt whose outcome is not: a server that cut the call says so. */
function whatWasHeard(cause: unknown): string {
  const words = serversWords(cause);
  return words === undefined ? "sent and not answered" : `the server answered "${words}"`;
}

function serversWords(cause: unknown): string | undefined {
  const answer = cause as Answer | undefined;
  return answer?.kind === "application" && !(answer instanceof Error) ? answer.message : undefined;
}
