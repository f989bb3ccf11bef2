/**
 * The order in which replies leave a connection. In request order a reply that is ready too early is
 * kept until those before it have left.
 */
import type { Call } from "../calls/call.ts";
import { copyBytes } from "../wire/copy-bytes.ts";

/** Takes the replies that may leave, in their order. */
export interface Departures {
  add(call: Call, bytes: Uint8Array, start: number, end: number): void;
}

export class ReplyOrder {
  readonly #departures: Departures;
  readonly #inOrder: boolean;
  #first: Call | null = null;
  #last: Call | null = null;
  #keptBytes = 0;

  constructor(departures: Departures, order: "request" | "any") {
    this.#departures = departures;
    this.#inOrder = order === "request";
  }

  /** Bytes of replies that wait for their turn. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** A call arrived that will get a reply. */
  enter(call: Call): void {
    if (!this.#inOrder || isUnordered(call)) return;
    call.next = null;
    if (this.#last === null) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
  }

  /** A reply is ready. */
  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#inOrder || isUnordered(call)) {
      this.#departures.add(call, bytes, start, end);
      return;
    }
    if (call !== this.#first) {
      call.reply = copyBytes(bytes, start, end);
      this.#keptBytes += end - start;
      return;
    }
    this.#departures.add(call, bytes, start, end);
    this.#shift();
    for (let next = this.#first; next !== null && next.reply !== null; next = this.#first) {
      this.#keptBytes -= next.reply.length;
      this.#departures.add(next, next.reply, 0, next.reply.length);
      this.#shift();
    }
  }

  #shift(): void {
    const call = this.#first!;
    this.#first = call.next;
    if (this.#first === null) this.#last = null;
    call.next = null;
  }
}

/** Whether the call's own client said that replies may overtake each other. */
function isUnordered(call: Call): boolean {
  return call.envelope?.unordered === true;
}
