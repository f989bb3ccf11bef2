/** The values that services published, as this worker knows them. */
import type { FromWorker, LaneStart, ToWorker } from "../pool/control-messages.ts";

export class PublishedValues {
  /** The version of the last value that was applied. */
  version: number;
  readonly #last = new Map<number, unknown>();
  readonly #listeners = new Map<number, ((value: unknown) => void)[]>();
  readonly #waiting = new Map<number, () => void>();
  readonly #post: (message: FromWorker) => void;
  #ids = 0;

  constructor(start: LaneStart, post: (message: FromWorker) => void) {
    this.version = start.version;
    this.#post = post;
    for (const { service, value } of start.published) this.#last.set(service, value);
  }

  last(service: number): unknown {
    return this.#last.get(service);
  }

  listen(service: number, listener: (value: unknown) => void): void {
    const listeners = this.#listeners.get(service);
    if (listeners === undefined) this.#listeners.set(service, [listener]);
    else listeners.push(listener);
  }

  /** Resolves when every call that arrives from now on will see the value. */
  async publish(service: number, value: unknown): Promise<void> {
    const id = ++this.#ids;
    this.#post({ kind: "publish", id, service, value });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(id, resolve);
    return promise;
  }

  apply(message: Extract<ToWorker, { kind: "published" }>): void {
    this.version = message.version;
    this.#last.set(message.service, message.value);
    for (const listener of this.#listeners.get(message.service) ?? []) listener(message.value);
  }

  done(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
