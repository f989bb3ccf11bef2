/**
 * The worker's side of process resources: proxies whose methods run on the state thread. All calls
 * made in one turn of the event loop go out as one message; a message of its own for each call costs
 * several times the call.
 */
import type { MessagePort } from "node:worker_threads";
import { type PackedError, reviveError } from "./error-transfer.ts";
import { StateCopyError, StateGoneError, StateOverloadedError } from "./errors.ts";
import { type AckBatch, ackBatchStride, type ResourceNames, type StateChannel } from "./messages.ts";

/** Calls of one worker that may wait for their acknowledgement. More are refused with `StateOverloadedError`. */
export const maxOutstandingCalls = 65_536;

/** A batch is sent at once when it holds this many calls, so that a long turn lets the state thread begin. */
const maxBatchCalls = 256;

/** After so many answers, or as many as are waited for, if that is more, the map of those is made anew. */
const renewAfter = 2_000;

/** A process resource as a handler sees it. */
export type ResourceProxy = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

/** Proxies by service and resource name. */
export type ResourceProxies = Readonly<Record<string, Readonly<Record<string, ResourceProxy>>>>;

/**
 * Connects this worker to the state thread.
 *
 * A method called on a proxy gives a promise that settles when the state thread has acknowledged the call.
 * Calls to one resource run in the order in which this worker made them. Arguments and results are copied by
 * structured clone: class instances arrive as plain objects, a `Buffer` as a `Uint8Array`.
 *
 * The promise rejects with what the method threw (an `Error` with its name, message, code, stack and own
 * fields), or with `StateOverloadedError`, `StateMethodError`, `StateCopyError` or `StateGoneError`.
 *
 * @param channel from `StateThread.connect()`; undefined when no service has process resources
 * @param resources `StateThread.resources`
 */
export function connectState(channel: StateChannel | undefined, resources: ResourceNames): ResourceProxies {
  if (channel === undefined) return {};
  const caller = new ChannelCaller(channel);
  let index = 0;
  const proxies: Record<string, Record<string, ResourceProxy>> = {};
  for (const [service, names] of Object.entries(resources)) {
    const ofService: Record<string, ResourceProxy> = {};
    for (const name of names) ofService[name] = createProxy(caller, index++);
    proxies[service] = ofService;
  }
  return proxies;
}

type RemoteMethod = (...args: unknown[]) => Promise<unknown>;

function createProxy(caller: ChannelCaller, resource: number): ResourceProxy {
  const methods = new Map<string, RemoteMethod>();
  return new Proxy(Object.create(null) as ResourceProxy, {
    get(_target, key): RemoteMethod | undefined {
      // A `then` would make `await proxy` a remote call.
      if (typeof key !== "string" || key === "then") return undefined;
      let method = methods.get(key);
      if (method === undefined) {
        method = (...args) => caller.call(resource, key, args);
        methods.set(key, method);
      }
      return method;
    },
    set: () => false,
  });
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

class ChannelCaller {
  readonly #port: MessagePort;
  readonly #sent: Int32Array;
  #waiting = new Map<number, Waiting>();
  #taken = 0;
  #batch: unknown[] = [];
  #nextId = 1;
  #gone = false;

  constructor(channel: StateChannel) {
    this.#port = channel.port;
    this.#sent = new Int32Array(channel.sent);
    this.#port.on("message", (acks: AckBatch) => this.#settle(acks));
    this.#port.on("messageerror", () => this.#port.close());
    this.#port.on("close", () => this.#fail());
    this.#port.unref();
  }

  call(resource: number, method: string, args: unknown[]): Promise<unknown> {
    if (this.#gone) return Promise.reject(goneError());
    if (this.#waiting.size >= maxOutstandingCalls) return Promise.reject(overloadedError());
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      if (this.#waiting.size === 0) this.#port.ref();
      this.#waiting.set(id, { resolve, reject });
      if (this.#batch.length === 0) this.#sendSoon();
      this.#batch.push(id, resource, method, compact(args));
      if (this.#batch.length >= maxBatchCalls * 4) this.#send();
    });
  }

  /**
   * After the microtasks of this turn: a tick that is asked for by a microtask runs when all microtasks have, so
   * calls behind an `await` join the batch, and nothing stays unsent when the thread goes back to its event loop.
   */
  #sendSoon(): void {
    queueMicrotask(() => process.nextTick(() => this.#send()));
  }

  #send(): void {
    const batch = this.#batch;
    if (batch.length === 0 || this.#gone) return;
    this.#batch = [];
    if (!this.#post(batch)) this.#sendOneByOne(batch);
  }

  #post(batch: unknown[]): boolean {
    try {
      this.#port.postMessage(batch);
    } catch {
      return false;
    }
    // Raised after the post: a flush that reads it finds the batch in the port's queue.
    Atomics.add(this.#sent, 0, 1);
    return true;
  }

  /** One call that can't be copied must not take the others of its turn with it. */
  #sendOneByOne(batch: unknown[]): void {
    for (let at = 0; at < batch.length; at += 4) {
      const call = batch.slice(at, at + 4);
      if (this.#post(call)) continue;
      this.#take(call[0] as number)?.reject(
        new StateCopyError(
          `the arguments of ${String(call[2])}() can't be copied to the state thread; pass plain data, no functions`,
        ),
      );
    }
  }

  #settle(acks: AckBatch): void {
    for (let at = 0; at < acks.length; at += ackBatchStride) {
      const waiting = this.#take(acks[at] as number);
      if (acks[at + 1] === true) waiting?.resolve(acks[at + 2]);
      else waiting?.reject(reviveError(acks[at + 2] as PackedError));
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#port.unref();
    if (++this.#taken >= renewAfter && this.#taken >= this.#waiting.size) this.#renew();
    return waiting;
  }

  /**
   * A map that entries pass through leaves a chain of tables behind, each linked to the next. Once one of them has become
   * old to the garbage collector, all that follow it stay in memory until the next full collection.
   */
  #renew(): void {
    this.#taken = 0;
    this.#waiting = new Map(this.#waiting);
  }

  #fail(): void {
    this.#gone = true;
    this.#batch = [];
    for (const waiting of this.#waiting.values()) waiting.reject(goneError());
    this.#waiting.clear();
  }
}

/** A view of a larger buffer would be copied with all of that buffer. */
function compact(args: unknown[]): unknown[] {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg instanceof Uint8Array && arg.byteLength < arg.buffer.byteLength) args[i] = Uint8Array.from(arg);
  }
  return args;
}

function goneError(): StateGoneError {
  return new StateGoneError("the state thread has ended; whether the call took effect is unknown");
}

function overloadedError(): StateOverloadedError {
  return new StateOverloadedError(
    `${maxOutstandingCalls} calls of this worker wait for the state thread; await earlier calls or try again later`,
  );
}
