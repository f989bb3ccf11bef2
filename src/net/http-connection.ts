/** A connection that speaks HTTP: its requests, their count, and its way to the end. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import type { Arrival } from "./arrival.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { CloseReason, ConnectionState } from "./connection-state.ts";
import { HttpExchange } from "./http-exchange.ts";
import type { LiveConnection } from "./live-connection.ts";
import { endSocket, ignoreError } from "./socket-ending.ts";
import { unreadBytesOf } from "./unread-bytes.ts";

export class HttpConnection implements LiveConnection {
  readonly kind = "http";
  readonly bytesWrittenLately = 0;
  readonly socket: Socket;
  readonly arrival: Arrival;
  readonly host: ConnectionHost;
  readonly origins: readonly string[];
  state: ConnectionState = "open";
  closeReason: CloseReason = "peer";
  wasSilent = false;
  lastActivityAtMs: number;
  partialSinceMs = 0;
  /** Order behind oneways holds for the connection, not for one request: see `Caller`. */
  onewayLane: { readonly index: number } | null = null;
  onewayPosition = 0;
  inFlight = 0;
  /** Requests that have begun and whose responses have not left. */
  readonly #exchanges = new Set<HttpExchange>();
  #requests = 0;
  /** How many of them had begun when the last chunk had been read. */
  #seenRequests = 0;
  #toldEnding = false;
  /** What is written behind the last response because what came is beyond repair. */
  #lastWords: string | undefined;

  constructor(socket: Socket, arrival: Arrival, host: ConnectionHost, origins: readonly string[]) {
    this.socket = socket;
    this.arrival = arrival;
    this.host = host;
    this.origins = origins;
    this.lastActivityAtMs = host.now();
    // Node destroys the socket behind the last response; what the peer has not read by then could be lost.
    socket.destroySoon = () => this.#finish(this.closeReason);
  }

  /** Begins to watch the socket. Called behind Node's own listeners, so that they have seen the bytes first. */
  listen(): void {
    this.socket.on("data", this.#onData);
    this.socket.on("end", this.#onEnd);
    this.socket.on("close", this.#onClose);
    this.socket.on("error", ignoreError);
  }

  /** Leaves the socket to the WebSocket that it becomes. */
  leave(): void {
    this.socket.off("data", this.#onData);
    this.socket.off("end", this.#onEnd);
    this.socket.off("close", this.#onClose);
    Reflect.deleteProperty(this.socket, "destroySoon");
  }

  get peer(): string {
    return this.arrival.peer.text;
  }

  /** Whether a request is being received or answered. */
  get isBusy(): boolean {
    return this.#exchanges.size > 0;
  }

  get activity(): ConnectionActivity {
    return {
      lastActivityAtMs: this.lastActivityAtMs,
      partialFrame: this.partialSinceMs > 0,
      undispatched: 0,
      inFlight: this.inFlight,
      // A response that is on its way counts even if all its bytes are with the kernel already.
      unwrittenBytes: this.socket.writableLength + this.#exchanges.size,
    };
  }

  get heldBytes(): number {
    let bytes = this.socket.writableLength;
    for (const exchange of this.#exchanges) bytes += exchange.heldBytes;
    return bytes;
  }

  get unreadBytes(): number {
    return unreadBytesOf(this.socket);
  }

  /** A request's head has come. */
  request(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    // Behind our last response nothing is answered: the peer was told, or will see FIN.
    if (this.state === "ending" || this.state === "closed") return;
    this.#requests++;
    const exchange = new HttpExchange(this, request, response);
    this.#exchanges.add(exchange);
    this.partialSinceMs ||= this.host.now();
    exchange.begin(expectsContinue);
  }

  /** Whether a response that is written now is to be the last one: nothing is owed behind it. */
  get isLastResponse(): boolean {
    if (this.#exchanges.size > 1 || this.#lastWords !== undefined) return false;
    return this.state !== "open" || this.host.isDraining(this);
  }

  /** A request was received whole. */
  received(): void {
    this.partialSinceMs = 0;
    for (const { isReceiving } of this.#exchanges) if (isReceiving) this.partialSinceMs = this.host.now();
  }

  /** A response has left. */
  remove(exchange: HttpExchange): void {
    this.#exchanges.delete(exchange);
  }

  /** Something left: perhaps the end has come. */
  progressed(): void {
    if (this.state === "closed") return;
    this.lastActivityAtMs = this.host.now();
    if (this.#exchanges.size === 0 && this.state === "ending") this.#finish(this.closeReason);
    else if (this.inFlight === 0) this.host.idle(this);
  }

  stopDispatching(): void {
    if (this.state === "open") this.state = "refusing";
  }

  refuseAndEnd(): void {
    this.end("drain");
  }

  end(reason: CloseReason): void {
    if (this.state === "ending" || this.state === "closed") return;
    this.closeReason = reason;
    if (this.#exchanges.size === 0) {
      this.wasSilent = this.partialSinceMs === 0;
      if (reason === "timeout" && this.partialSinceMs > 0) this.#lastWords = "408 Request Timeout";
      this.#finish(reason);
      return;
    }
    this.state = "ending";
    this.partialSinceMs = 0;
    for (const exchange of this.#exchanges) exchange.breakOff(reason);
    this.#tellEnding();
  }

  /** A response is on its way. */
  answered(): void {
    if (this.state === "ending") this.#tellEnding();
  }

  /** From now on the time runs that the peer has to read. Not while a response is owed to it. */
  #tellEnding(): void {
    if (this.#toldEnding) return;
    for (const { isAnswered } of this.#exchanges) if (!isAnswered) return;
    this.#toldEnding = true;
    this.host.ending(this);
  }

  destroy(reason: CloseReason): void {
    if (this.state === "closed") return;
    if (this.state !== "ending") this.closeReason = reason;
    this.socket.destroy();
  }

  /** The parser gives up: what comes further can't be understood. */
  failed(error: NodeJS.ErrnoException): void {
    if (this.state === "ending" || this.state === "closed") return;
    const { code = "" } = error;
    if (!code.startsWith("HPE_")) {
      this.closeReason = "error";
      return;
    }
    if (code === "HPE_INVALID_EOF_STATE") {
      this.end("peer");
      return;
    }
    this.host.malformed(this, { kind: "bad-http", message: error.message });
    this.refuseRaw(
      code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request",
    );
  }

  /** Ends the connection with a response that belongs to no request, behind all that is owed. */
  refuseRaw(status: string): void {
    let broken = false;
    for (const { isReceiving } of this.#exchanges) broken ||= isReceiving;
    // What breaks in the middle of a request is that request's own answer.
    if (!broken) this.#lastWords = status;
    this.end("malformed");
  }

  /** Sends FIN. */
  #finish(reason: CloseReason): void {
    if (this.state === "closed" || this.socket.writableEnded) return;
    if (this.state !== "ending")
      this.closeReason = reason === "peer" && this.host.isDraining(this) ? "drain" : reason;
    this.state = "ending";
    this.partialSinceMs = 0;
    if (this.#lastWords !== undefined) {
      this.socket.write(`HTTP/1.1 ${this.#lastWords}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
    endSocket(this.socket, this.host.maxDiscardedBytes);
    this.#tellEnding();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.lastActivityAtMs = this.host.now();
    this.host.bytesRead(chunk.length);
    const begun = this.#requests;
    // Bytes that began no request and belong to none: the beginning of a head.
    if (this.#exchanges.size === 0 && begun === this.#seenRequests)
      this.partialSinceMs ||= this.lastActivityAtMs;
    this.#seenRequests = begun;
  };

  readonly #onEnd = (): void => {
    if (this.#exchanges.size === 0) this.end("peer");
  };

  readonly #onClose = (): void => {
    if (this.state === "closed") return;
    this.state = "closed";
    for (const exchange of this.#exchanges) exchange.lost();
    this.#exchanges.clear();
    this.host.closed(this);
  };
}
