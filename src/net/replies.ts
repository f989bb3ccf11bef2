/** What a connection owes: the calls in flight, the order of their replies, and their way out. */
import type { Duplex } from "node:stream";
import type { Call } from "../calls/call.ts";
import type { Outcome } from "../calls/outcome.ts";
import { Outbox } from "./outbox.ts";
import { ReplyOrder } from "./reply-order.ts";

/** What surrounds the replies of a connection. */
export interface RepliesHost {
  readonly replyOrder: "request" | "any";
  /** Whether the server is about to stop: replies in envelopes say so. */
  isLeaving(): boolean;
  /** The kernel has the call's reply, or never will. */
  settle(call: Call, outcome: Outcome): void;
  /** Calls were settled after `flush` had returned. */
  settledLater(): void;
  /** So many bytes could not leave at once. */
  held(bytes: number): void;
}

export class Replies {
  readonly #host: RepliesHost;
  #outbox: Outbox;
  #order: ReplyOrder;
  #inFlight = 0;

  constructor(stream: Duplex, host: RepliesHost) {
    this.#host = host;
    this.#outbox = this.#createOutbox(stream);
    this.#order = new ReplyOrder(this.#outbox, host.replyOrder);
  }

  /** From now on replies leave by another stream. None has left before. */
  goOnWith(stream: Duplex): void {
    this.#outbox = this.#createOutbox(stream);
    this.#order = new ReplyOrder(this.#outbox, this.#host.replyOrder);
  }

  /** Calls without an outcome. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Bytes that the kernel has not taken, those included that wait for their turn. */
  get unwrittenBytes(): number {
    return this.#outbox.unwrittenBytes + this.#order.keptBytes;
  }

  /** Bytes of the last write. */
  get lastWrittenBytes(): number {
    return this.#outbox.lastWrittenBytes;
  }

  enter(call: Call): void {
    this.#inFlight++;
    if (!call.method!.oneway) this.#order.enter(call);
  }

  /** A call has its outcome without a reply. */
  leave(): void {
    this.#inFlight--;
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    this.#order.answer(call, bytes, start, end);
    if (this.#order.keptBytes > 0) this.#host.held(end - start);
  }

  /** Writes what may leave. */
  flush(): void {
    this.#outbox.flush();
  }

  /** The connection is gone: what was not written never will be. */
  close(): void {
    this.#outbox.close();
  }

  #createOutbox(stream: Duplex): Outbox {
    const host = this.#host;
    return new Outbox(stream, {
      isLeaving: () => host.isLeaving(),
      settle: (call, outcome) => {
        this.#inFlight--;
        host.settle(call, outcome);
      },
      settledLater: () => host.settledLater(),
      waits: (bytes) => host.held(bytes),
    });
  }
}
