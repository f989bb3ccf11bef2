/** The context of the call that runs: `currentCall()`. */
import { AsyncLocalStorage } from "node:async_hooks";

/** A protected section of a call. Ends when disposed, when its time is over, or with the call. */
export interface ProtectedSection extends Disposable {
  /**
   * Counts the protection anew from now.
   *
   * @param ms how long; default: as long as it was asked for
   * @throws {ProtectionDeniedError} when that is more than can be granted
   */
  renew(ms?: number): void;
}

/** What TLS says of a client that had to show a certificate (`tlsCa`). It was verified before any call was read. */
export interface PeerCertificate {
  /** Whom it names, for example "CN=billing,O=Example". */
  readonly subject: string;
  /** Who signed it, in the form of `subject`. */
  readonly issuer: string;
  /** Its further names, as Node writes them: "DNS:billing.example, URI:spiffe://…"; empty when there are none. */
  readonly subjectAltName: string;
  /** In hexadecimal digits; unique for one issuer only. */
  readonly serialNumber: string;
  /** SHA-256 of the whole certificate, in hexadecimal digits with colons. */
  readonly fingerprint256: string;
}

/** What a handler can know and ask during a call. */
export interface CurrentCall {
  /** The name of the service, as `defineService` has it. */
  readonly service: string;
  /** The method, without the service. */
  readonly method: string;
  /** The client's number for the call. Not unique: many clients send 0 always. */
  readonly seqid: number;
  /** The caller's address, for example "10.0.0.7:50312"; "unix" for a Unix domain socket. */
  readonly peer: string;
  /** Headers that came with the call (THeader, HTTP). Empty for transports that have none. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client's certificate, under mutual TLS; otherwise undefined. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** When the caller gets an exception instead of a reply, as `Date.now()` counts; undefined for never. */
  readonly deadline: number | undefined;
  /** Aborts shortly before the call is cut, and when its deadline has passed. */
  readonly signal: AbortSignal;
  /** True from the moment at which `signal` aborts; also in the middle of synchronous code. */
  readonly stopping: boolean;
  /**
   * Begins a section in which the call is neither aborted nor cut, for `ms` from now.
   *
   * @throws {ProtectionDeniedError} when that is more than a stop can wait (`grace` − `reserve`)
   */
  protect(ms: number): ProtectedSection;
  /**
   * Ends the call here, by throwing `CallBrokenError`, if a stop waits for it.
   *
   * @throws {CallBrokenError}
   */
  allowBreak(): void;
  /** A drain waits until this promise has settled, within the same deadline. */
  background(promise: PromiseLike<unknown>): void;
}

/** A stop ended the call at a point where its handler had allowed it. */
export class CallBrokenError extends Error {
  /** For programs; the message is for people. */
  readonly code = "SLUICE_CALL_BROKEN";
  override readonly name = "CallBrokenError";

  constructor() {
    super("the server stops, and the call allowed to be ended here");
  }
}

/** The reason of `signal` when it aborts: the message says whether a stop or the call's deadline is the cause. */
export class CallAbortedError extends Error {
  /** For programs; the message is for people. */
  readonly code = "SLUICE_CALL_ABORTED";
  override readonly name = "CallAbortedError";
}

/** `currentCall()` was called where no call runs. */
export class NoCurrentCallError extends Error {
  /** For programs; the message is for people. */
  readonly code = "SLUICE_NO_CURRENT_CALL";
  override readonly name = "NoCurrentCallError";

  constructor() {
    super("currentCall() works during a call only: in the handler and in what it awaits");
  }
}

/**
 * The store lives under a registered symbol, because two copies of this module (one of the user's
 * package, one of the running server) have to find the same.
 */
const storageKey: symbol = Symbol.for("thrift-sluice.current-call");

type Registry = Record<symbol, AsyncLocalStorage<CallHolder> | undefined>;

/**
 * What the asynchronous context holds: the call, while one runs. Entering a context costs a map, so calls
 * that return without a promise use one holder after the other; one that goes on asynchronously keeps its own.
 */
export interface CallHolder {
  call: CurrentCall | undefined;
}

/** Where the holder of each asynchronous context is kept. */
export const callStorage: AsyncLocalStorage<CallHolder> = sharedStorage();

function sharedStorage(): AsyncLocalStorage<CallHolder> {
  const registry = globalThis as unknown as Registry;
  const storage = registry[storageKey] ?? new AsyncLocalStorage<CallHolder>();
  registry[storageKey] = storage;
  return storage;
}

/**
 * The context of the call that runs.
 *
 * @throws {NoCurrentCallError} outside of a call
 */
export function currentCall(): CurrentCall {
  const call = callStorage.getStore()?.call;
  if (call === undefined) throw new NoCurrentCallError();
  return call;
}
