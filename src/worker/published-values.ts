/** The values that services published, as this worker knows them. */
import type { MessagePort } from "node:worker_threads";
import { carry, takeOut } from "../pool/carried-value.ts";
import type { FromWorker, LaneStart, ToWorker } from "../pool/control-messages.ts";

type Post = (message: FromWorker, transfer: readonly MessagePort[]) => void;

export class PublishedValues {
  /** The version of the last value that was applied. */
  version: number;
  readonly #last = new Map<number, unknown>();
  readonly #listeners = new Map<number, ((value: unknown) => void)[]>();
  readonly #waiting = new Map<number, () => void>();
  readonly #post: Post;
  readonly #copies: number;
  #ids = 0;

  constructor(start: LaneStart, post: Post) {
    this.version = start.version;
    this.#copies = start.copies;
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

  /**
   * Resolves when every call that arrives from now on will see the value.
   *
   * @throws {DOMException} `DataCloneError`, when structured clone can't copy it
   */
  async publish(service: number, value: unknown): Promise<void> {
    const id = ++this.#ids;
    const copies = carry(value, this.#copies);
    this.#post({ kind: "publish", id, service, copies }, copies);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(id, resolve);
    return promise;
  }

  apply(message: Extract<ToWorker, { kind: "published" }>): void {
    const value = takeOut(message.copy);
    this.version = message.version;
    this.#last.set(message.service, value);
    for (const listener of this.#listeners.get(message.service) ?? []) listener(value);
  }

  done(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
