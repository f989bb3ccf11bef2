/** The state thread's side of the workers' channels: runs their calls and sends the answers in batches. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { packError } from "./error-transfer.ts";
import { StateCopyError, StateGoneError } from "./errors.ts";
import { ackBatchStride, type CallBatch, callBatchStride, type StateChannel } from "./messages.ts";

/** Runs one call: returns its result or a promise of it, or throws. */
export type CallRunner = (resource: number, method: string, args: unknown[]) => unknown;

/** All channels of the state thread, and the barrier behind what came through them. */
export class ChannelServer {
  readonly #channels = new Set<Channel>();
  readonly #run: CallRunner;
  #running = 0;
  #lostBatches = 0;
  #accepting = true;
  #idleListeners: (() => void)[] = [];

  constructor(run: CallRunner) {
    this.#run = run;
  }

  connect({ port, sent }: StateChannel): void {
    const channel = new Channel(port, new Int32Array(sent), (batch) => this.#start(channel, batch));
    this.#channels.add(channel);
    port.on("close", () => {
      this.#channels.delete(channel);
      this.#lostBatches += channel.behind;
    });
  }

  /**
   * Takes in everything that workers posted before now, those that have ended included, and starts it. A post is in
   * the port's queue when `postMessage` returns, so emptying the queues is enough; the shared counters prove it.
   *
   * @returns how many batches were posted and have not arrived by `deadlineMs` (on `performance.now()`)
   */
  async takeIn(deadlineMs: number): Promise<number> {
    for (const channel of this.#channels) channel.drain();
    while (this.#behind() > 0 && performance.now() < deadlineMs) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      for (const channel of this.#channels) channel.drain();
    }
    return this.#behind() + this.#lostBatches;
  }

  /** Whether a call has started and not settled. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Resolves when no call runs; false when that takes until `deadlineMs`. */
  whenIdle(deadlineMs: number): Promise<boolean> {
    if (!this.busy) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadlineMs - performance.now()), false);
      this.#idleListeners.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** From now on calls are answered with `StateGoneError`. */
  refuse(): void {
    this.#accepting = false;
  }

  /** Sends what is answered and closes every channel. */
  close(): void {
    for (const channel of this.#channels) channel.close();
  }

  #behind(): number {
    let behind = 0;
    for (const channel of this.#channels) behind += channel.behind;
    return behind;
  }

  #start(channel: Channel, batch: CallBatch): void {
    for (let at = 0; at < batch.length; at += callBatchStride) {
      const id = batch[at] as number;
      let result: unknown;
      try {
        if (!this.#accepting) throw new StateGoneError("the resource is closed: the server is stopping");
        result = this.#run(batch[at + 1] as number, batch[at + 2] as string, batch[at + 3] as unknown[]);
      } catch (error) {
        channel.answer(id, false, packError(error));
        continue;
      }
      if (isThenable(result)) this.#await(channel, id, result);
      else channel.answer(id, true, result);
    }
  }

  #await(channel: Channel, id: number, result: PromiseLike<unknown>): void {
    this.#running++;
    result.then(
      (value) => this.#finish(channel, id, true, value),
      (error) => this.#finish(channel, id, false, packError(error)),
    );
  }

  #finish(channel: Channel, id: number, ok: boolean, value: unknown): void {
    channel.answer(id, ok, value);
    if (--this.#running > 0) return;
    const listeners = this.#idleListeners;
    this.#idleListeners = [];
    for (const listener of listeners) listener();
  }
}

class Channel {
  readonly #port: MessagePort;
  readonly #sent: Int32Array;
  readonly #onBatch: (batch: CallBatch) => void;
  #received = 0;
  #acks: unknown[] = [];

  constructor(port: MessagePort, sent: Int32Array, onBatch: (batch: CallBatch) => void) {
    this.#port = port;
    this.#sent = sent;
    this.#onBatch = onBatch;
    port.on("message", (batch: CallBatch) => this.#receive(batch));
    // A message that can't be read would leave its calls without an answer: end the channel, which fails them.
    port.on("messageerror", () => port.close());
    port.unref();
  }

  /** Batches posted and not yet received. The counter wraps: only the difference means anything. */
  get behind(): number {
    return Math.max(0, (Atomics.load(this.#sent, 0) - this.#received) | 0);
  }

  drain(): void {
    for (;;) {
      const next = receiveMessageOnPort(this.#port);
      if (next === undefined) return;
      this.#receive(next.message as CallBatch);
    }
  }

  answer(id: number, ok: boolean, value: unknown): void {
    // After the microtasks of this turn: what one commit settles goes out as one message.
    if (this.#acks.length === 0) queueMicrotask(() => process.nextTick(() => this.#send()));
    this.#acks.push(id, ok, value);
  }

  close(): void {
    this.#send();
    this.#port.close();
  }

  #receive(batch: CallBatch): void {
    this.#received = (this.#received + 1) | 0;
    this.#onBatch(batch);
  }

  #send(): void {
    const acks = this.#acks;
    if (acks.length === 0) return;
    this.#acks = [];
    try {
      this.#port.postMessage(acks);
    } catch {
      this.#sendOneByOne(acks);
    }
  }

  /** One result that can't be copied must not take the others of its turn with it. */
  #sendOneByOne(acks: readonly unknown[]): void {
    for (let at = 0; at < acks.length; at += ackBatchStride) {
      const ack = acks.slice(at, at + ackBatchStride);
      try {
        this.#port.postMessage(ack);
      } catch {
        const error = new StateCopyError("the result can't be copied to the worker; return plain data");
        this.#port.postMessage([ack[0], false, packError(error)]);
      }
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
