/** How a call can fail for its caller. Declared exceptions are thrown as the generated code makes them. */

/** Where a call went, and how often it was tried. */
export interface CallTrace {
  /** The endpoint that the last attempt went to, for example `10.0.0.7:9090`; undefined when there was none. */
  readonly endpoint: string | undefined;
  /** Attempts that were made; 0 when no endpoint could be tried. */
  readonly attempts: number;
}

/** What all of the client's own errors have. */
export abstract class ClientError extends Error {
  /** For programs: one for each class. The message is for people. */
  abstract readonly code: string;
  /** The method that was called. */
  readonly method: string;
  /** The endpoint of the last attempt; undefined when there was none. */
  readonly endpoint: string | undefined;
  /** How often it was tried; 0 when no endpoint could be. */
  readonly attempts: number;

  constructor(what: string, method: string, trace: CallTrace, cause?: unknown) {
    const { endpoint, attempts } = trace;
    const tried = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    const where = endpoint === undefined ? "" : `, last at ${endpoint}`;
    super(`${method}: ${what} (${tried}${where})`, cause === undefined ? undefined : { cause });
    this.method = method;
    this.endpoint = endpoint;
    this.attempts = attempts;
  }
}

/** The call was never started, and never will be: it may be made again, whatever it does. */
export class NotStartedError extends ClientError {
  readonly code = "SLUICE_NOT_STARTED";
  override readonly name = "NotStartedError";
}

/** The call was sent and not answered, or cut by its server: it may have taken effect. */
export class UnknownOutcomeError extends ClientError {
  readonly code = "SLUICE_UNKNOWN_OUTCOME";
  override readonly name = "UnknownOutcomeError";
}

/** The server answered with a TApplicationException: an undeclared error, an unknown method and the like. */
export class ApplicationError extends ClientError {
  readonly code = "SLUICE_APPLICATION";
  override readonly name = "ApplicationError";
  /** The number that Thrift's TApplicationExceptionType has for it. */
  readonly type: number;
  /** The server's own words. */
  readonly serverMessage: string;

  constructor(type: number, message: string, method: string, trace: CallTrace, cause?: unknown) {
    super(message, method, trace, cause);
    this.type = type;
    this.serverMessage = message;
  }
}

/** What can be said of a call that brought no answer. */
export function effectOf(mayHaveRun: boolean): string {
  return mayHaveRun ? "unknown whether it took effect" : "it was never started";
}

/** The call's time was over before it was answered. */
export class DeadlineError extends ClientError {
  readonly code = "SLUICE_DEADLINE";
  override readonly name = "DeadlineError";
  /** Whether the call may have taken effect: false when it never left this process. */
  readonly mayHaveRun: boolean;

  constructor(timeoutMs: number, mayHaveRun: boolean, method: string, trace: CallTrace, cause?: unknown) {
    const why = !mayHaveRun && cause instanceof Error ? `: ${cause.message}` : "";
    super(`no answer within ${timeoutMs} ms; ${effectOf(mayHaveRun)}${why}`, method, trace, cause);
    this.mayHaveRun = mayHaveRun;
  }
}

/** The client was closed: make a new one. */
export class ClosedError extends ClientError {
  readonly code = "SLUICE_CLIENT_CLOSED";
  override readonly name = "ClosedError";
  /** Whether the call may have taken effect: false when it never left this process. */
  readonly mayHaveRun: boolean;

  constructor(what: string, mayHaveRun: boolean, method: string, trace: CallTrace) {
    super(what, method, trace);
    this.mayHaveRun = mayHaveRun;
  }
}

/** The arguments don't fit the IDL, or the headers can't be sent; nothing was. */
export class ArgumentsError extends ClientError {
  readonly code = "SLUICE_ARGUMENTS";
  override readonly name = "ArgumentsError";
}

/** An option of `createClient` can't be: the message names it and what is allowed. */
export class ClientOptionError extends Error {
  /** For programs; the message is for people. */
  readonly code = "SLUICE_CLIENT_OPTION";
  override readonly name = "ClientOptionError";
}

/** The text of what was thrown, whatever that is. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "an error that can't be shown";
  }
}

const traces = new WeakMap<object, CallTrace>();

/** Remembers where a declared exception came from: its class is the IDL's, and gets no further fields. */
export function rememberTrace(error: unknown, trace: CallTrace): void {
  if (typeof error === "object" && error !== null) traces.set(error, trace);
}

/**
 * Where a call went that failed with this error, declared exceptions included.
 *
 * @param error what a call's promise rejected with
 * @returns undefined for errors that come from elsewhere
 */
export function callTrace(error: unknown): CallTrace | undefined {
  if (error instanceof ClientError) return { endpoint: error.endpoint, attempts: error.attempts };
  return typeof error === "object" && error !== null ? traces.get(error) : undefined;
}
