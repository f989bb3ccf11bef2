/** A connection that became a WebSocket: one Thrift message per message, replies in the kind that came. */
import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import type { Call } from "../calls/call.ts";
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import { WireError } from "../wire/message.ts";
import type { Arrival } from "./arrival.ts";
import { type ConnectionHost, drainRefusal } from "./connection-host.ts";
import type { CloseReason, ConnectionState } from "./connection-state.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { MessageHeaders } from "./message-headers.ts";
import { afterNextRead } from "./next-read.ts";
import { type Departures, ReplyOrder } from "./reply-order.ts";
import { cutSingle, type SingleMessage } from "./single-message.ts";
import { unreadBytesOf } from "./unread-bytes.ts";
import { WebSocketCaller } from "./websocket-caller.ts";
import { CloseCode, closeCodes } from "./websocket-close.ts";

/** A client that offers this is told, as a text message, when the server's lame-duck begins. */
export const noticeSubprotocol = "sluice.v1";
const lameDuckNotice = JSON.stringify({ sluice: "lame-duck" });

export class WebSocketConnection implements LiveConnection, Departures {
  readonly bytesWrittenLately = 0;
  /** The closing handshake needs an answer, however silent it was. */
  readonly wasSilent = false;
  readonly arrival: Arrival;
  kind = "websocket";
  state: ConnectionState = "open";
  closeReason: CloseReason = "peer";
  lastActivityAtMs: number;
  partialSinceMs = 0;
  onewayLane: { readonly index: number } | null = null;
  onewayPosition = 0;
  inFlight = 0;
  readonly #socket: Socket;
  readonly #webSocket: WebSocket;
  readonly #headers: MessageHeaders;
  readonly #host: ConnectionHost;
  readonly #order: ReplyOrder;
  /** No lane had room for a call of ours. */
  #blocked = false;
  #paused = false;
  /** Whether the chunk that is being read completed something. */
  #completed = false;
  #discardedBytes = 0;
  /** Bytes that have come of a message that is not whole; ws keeps them. */
  #partialBytes = 0;
  /** What is to be said when no call is in flight any more. */
  #farewell: { readonly code: number; readonly text: string } | undefined;

  constructor(
    socket: Socket,
    webSocket: WebSocket,
    arrival: Arrival,
    headers: MessageHeaders,
    host: ConnectionHost,
  ) {
    this.#socket = socket;
    this.#webSocket = webSocket;
    this.arrival = arrival;
    this.#headers = headers;
    this.#host = host;
    this.#order = new ReplyOrder(this, host.replyOrder);
    this.lastActivityAtMs = host.now();
    webSocket.on("message", (data, isBinary) => this.#received(data, isBinary));
    webSocket.on("ping", () => this.#complete());
    webSocket.on("pong", () => this.#complete());
    webSocket.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
    webSocket.on("close", () => this.#closed());
    // Behind the listener of ws: what the chunk completed has been seen by then.
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  get peer(): string {
    return this.arrival.peer.text;
  }

  get activity(): ConnectionActivity {
    return {
      lastActivityAtMs: this.lastActivityAtMs,
      partialFrame: this.partialSinceMs > 0,
      // Whatever the kernel has while reading is paused counts as well.
      undispatched: this.#paused ? 1 : 0,
      inFlight: this.inFlight,
      unwrittenBytes: this.#unwrittenBytes,
    };
  }

  get heldBytes(): number {
    return this.#partialBytes + this.#unwrittenBytes;
  }

  get unreadBytes(): number {
    return unreadBytesOf(this.#socket);
  }

  /** Takes in a call of one of the messages. */
  enter(call: Call): void {
    this.inFlight++;
    if (!call.method!.oneway) this.#order.enter(call);
  }

  /** Lets go of a call that gets no reply. */
  leave(): void {
    this.inFlight--;
    this.lastActivityAtMs = this.#host.now();
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    this.#order.answer(call, bytes, start, end);
  }

  /** Sends a reply whose turn it is. */
  add(call: Call, bytes: Uint8Array, start: number, end: number): void {
    const { text } = call.caller as WebSocketCaller;
    const prefix = call.envelope?.prefix(
      end - start,
      this.#host.isLeaving(this),
      call.pendingOutcome === "rejected",
    );
    const reply = Buffer.concat([prefix ?? noBytes, bytes.subarray(start, end)]);
    this.#webSocket.send(reply, { binary: !text, compress: false }, (error) =>
      this.#settle(call, error !== undefined && error !== null),
    );
  }

  flush(): void {
    this.#progressed();
  }

  resume(): void {
    this.#blocked = false;
    this.#progressed();
  }

  stopDispatching(): void {
    if (this.state === "open") this.state = "refusing";
  }

  /** Ends. Where reading is paused, what the kernel has by now is read before, and refused. */
  refuseAndEnd(): void {
    if (this.state !== "open" && this.state !== "refusing") return;
    if (!this.#paused) {
      this.end("drain");
      return;
    }
    this.state = "leaving";
    this.#updatePause();
    afterNextRead(() => this.end("drain"));
  }

  end(reason: CloseReason): void {
    this.#end(reason, closeCodes[reason], reason === "drain" ? "the server is draining" : "");
  }

  destroy(reason: CloseReason): void {
    if (this.state === "closed") return;
    if (this.state !== "ending") this.closeReason = reason;
    this.#webSocket.terminate();
  }

  announceLameDuck(): void {
    if (this.#webSocket.protocol === noticeSubprotocol) this.#webSocket.send(lameDuckNotice);
  }

  /** Reads no further message, and sends a close frame behind the last reply that is owed. */
  #end(reason: CloseReason, code: number, text: string): void {
    if (this.state === "closed" || this.state === "ending") return;
    this.state = "ending";
    this.closeReason = reason;
    this.partialSinceMs = 0;
    this.#farewell = { code, text };
    if (this.inFlight === 0) this.#sayFarewell(this.#farewell);
  }

  #sayFarewell({ code, text }: { code: number; text: string }): void {
    this.#farewell = undefined;
    // The peer's close frame is to be read.
    this.#webSocket.resume();
    this.#webSocket.close(code, text);
    this.#host.ending(this);
  }

  #read(chunk: Buffer): void {
    this.lastActivityAtMs = this.#host.now();
    this.#host.bytesRead(chunk.length);
    if (this.state === "ending") {
      this.#discardedBytes += chunk.length;
      if (this.#discardedBytes > this.#host.maxDiscardedBytes) this.#webSocket.terminate();
      return;
    }
    if (!this.#completed) {
      this.partialSinceMs ||= this.lastActivityAtMs;
      this.#partialBytes += chunk.length;
      this.#host.held(chunk.length);
    }
    this.#completed = false;
  }

  #complete(): void {
    this.#completed = true;
    this.partialSinceMs = 0;
    this.#partialBytes = 0;
  }

  #received(data: RawData, isBinary: boolean): void {
    this.#complete();
    if (this.state === "ending" || this.state === "closed") return;
    try {
      const message = cutSingle(data as Buffer, this.#host.limits);
      if (!isBinary && message.cutter.protocol !== "json") {
        throw new WireError("unknown-protocol", "a text message that is not in the JSON protocol");
      }
      this.#dispatch(message, !isBinary);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#host.malformed(this, error);
      const code = isBinary ? CloseCode.INVALID_PAYLOAD : CloseCode.UNSUPPORTED_DATA;
      this.#end("malformed", code, "no Thrift message");
    }
  }

  #dispatch({ view, cutter, replyForm }: SingleMessage, text: boolean): void {
    this.kind = `websocket-${cutter.kind}`;
    const { desk } = this.#host;
    const caller = new WebSocketCaller(this, replyForm, text);
    const refusal = this.state === "open" ? undefined : drainRefusal;
    desk.arrive(caller, this.#headers.before(view, replyForm), this.#host.now(), refusal);
    this.#blocked = !desk.endOfRead(caller);
    this.#updatePause();
  }

  get #unwrittenBytes(): number {
    return this.#webSocket.bufferedAmount + this.#order.keptBytes;
  }

  get #wantsNoMore(): boolean {
    const { maxInFlightPerConnection, writeHighWaterBytes } = this.#host;
    if (this.state !== "open") return false;
    return (
      this.#blocked || this.inFlight >= maxInFlightPerConnection || this.#unwrittenBytes > writeHighWaterBytes
    );
  }

  /** Reading stops while no more is wanted, and goes on by itself when that is over. */
  #updatePause(): void {
    const pause = this.#wantsNoMore;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) {
      if (!this.#blocked) {
        const full = this.inFlight >= this.#host.maxInFlightPerConnection;
        this.#host.limited(full ? "maxInFlightPerConnection" : "writeHighWater");
      }
      this.#webSocket.pause();
    } else this.#webSocket.resume();
  }

  #settle(call: Call, orphaned: boolean): void {
    this.inFlight--;
    this.lastActivityAtMs = this.#host.now();
    this.#host.desk.settle(call, orphaned ? "orphaned" : call.pendingOutcome, this.lastActivityAtMs);
    this.#progressed();
  }

  #progressed(): void {
    if (this.state === "closed") return;
    this.#updatePause();
    if (this.inFlight > 0) return;
    if (this.#farewell !== undefined) this.#sayFarewell(this.#farewell);
    else this.#host.idle(this);
  }

  /** The peer broke the protocol; ws closes the socket with the code that fits. */
  #failed(error: NodeJS.ErrnoException): void {
    if (this.state === "closed" || !error.code?.startsWith("WS_ERR_")) {
      if (this.state === "open") this.closeReason = "error";
      return;
    }
    this.#host.malformed(this, { kind: "bad-websocket", message: error.message });
    this.#farewell = undefined;
    this.state = "ending";
    this.closeReason = "malformed";
    this.#host.ending(this);
  }

  #closed(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.partialSinceMs = 0;
    this.#host.closed(this);
  }
}

const noBytes: Buffer = Buffer.alloc(0);
