/** The caller of one WebSocket message: its connection, and in which kind and form the reply goes out. */
import type { Call, Caller } from "../calls/call.ts";
import type { WebSocketConnection } from "./websocket-connection.ts";

export class WebSocketCaller implements Caller {
  readonly replyForm: number;
  /** Whether the message was a text message. */
  readonly text: boolean;
  touched = false;
  readonly #connection: WebSocketConnection;

  constructor(connection: WebSocketConnection, replyForm: number, text: boolean) {
    this.#connection = connection;
    this.replyForm = replyForm;
    this.text = text;
  }

  get id(): number {
    return this.#connection.arrival.id;
  }

  get peer(): string {
    return this.#connection.peer;
  }

  get peerWords(): Int32Array {
    return this.#connection.arrival.peer.words;
  }

  get onewayLane(): { readonly index: number } | null {
    return this.#connection.onewayLane;
  }

  set onewayLane(lane: { readonly index: number } | null) {
    this.#connection.onewayLane = lane;
  }

  get onewayPosition(): number {
    return this.#connection.onewayPosition;
  }

  set onewayPosition(position: number) {
    this.#connection.onewayPosition = position;
  }

  enter(call: Call): void {
    this.#connection.enter(call);
  }

  leave(_call: Call): void {
    this.#connection.leave();
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    this.#connection.answer(call, bytes, start, end);
  }

  flush(): void {
    this.#connection.flush();
  }

  resume(): void {
    this.#connection.resume();
  }
}
