/** One HTTP request and its response. A body that is a Thrift message makes it the caller of that call. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Call, Caller } from "../calls/call.ts";
import { WireError } from "../wire/message.ts";
import { drainRefusal } from "./connection-host.ts";
import type { CloseReason } from "./connection-state.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import type { HttpConnection } from "./http-connection.ts";
import { headersOf } from "./http-headers.ts";
import { acceptedTypes, allowedMethods, defaultMediaType, hint, isThriftType } from "./http-media.ts";
import { isForeignOrigin, originHeaders, preflightHeaders } from "./http-origin.ts";
import { MessageHeaders } from "./message-headers.ts";
import { cutSingle } from "./single-message.ts";

/**
 * - `receiving`: its body is being read. → `calling`, `answered`
 * - `calling`: its call is with the desk. → `answered`
 * - `answered`: its response is being written. → `over`
 * - `over`: the response is with the kernel, or never will be.
 */
type ExchangeState = "receiving" | "calling" | "answered" | "over";

/** A response without a Thrift message, for people. */
interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What a body costs is its pieces: of a byte each, 64 KiB of them would keep the main thread for 30 ms. The first
 * ones may be of any size.
 */
const freePieces = 1000;
const smallestPieceBytes = 64;

const noBytes: Buffer = Buffer.alloc(0);

export class HttpExchange implements Caller {
  replyForm = 0;
  touched = false;
  readonly #connection: HttpConnection;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #state: ExchangeState = "receiving";
  readonly #body = new GrowingBuffer();
  #pieces = 0;
  #responseBytes = 0;
  #refusal: Refusal | undefined;
  /** The call that it is owed an answer of. */
  #call: Call | undefined;
  #reply: Buffer | undefined;

  constructor(connection: HttpConnection, request: IncomingMessage, response: ServerResponse) {
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
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

  /** Whether the end of its body has not been read yet. It has been some turns before `#received` hears of it. */
  get isReceiving(): boolean {
    return this.#state === "receiving" && !this.#request.complete;
  }

  /** What it keeps of its body, and of its response while that is not with the kernel. */
  get heldBytes(): number {
    return this.#body.heldBytes + this.#responseBytes;
  }

  get isAnswered(): boolean {
    return this.#state === "answered" || this.#state === "over";
  }

  /**
   * Looks at the head; then receives the body.
   *
   * @param expectsContinue whether the client waits for our consent before it sends the body
   */
  begin(expectsContinue: boolean): void {
    this.#refusal = this.#judge();
    const length = Number(this.#request.headers["content-length"] ?? 0);
    if (length > this.#maxBodyBytes) {
      this.#tooLarge();
      return;
    }
    if (expectsContinue) {
      if (this.#refusal !== undefined) {
        this.#refuse(this.#refusal, true);
        return;
      }
      this.#response.writeContinue();
    }
    this.#request.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#request.on("end", () => this.#received());
    // The connection hears of it too, and says so.
    this.#request.on("error", () => {});
  }

  enter(call: Call): void {
    this.#connection.inFlight++;
    if (!call.method!.oneway) this.#call = call;
  }

  leave(_call: Call): void {
    this.#connection.inFlight--;
    this.#connection.progressed();
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    const prefix = call.envelope?.prefix(
      end - start,
      this.#connection.host.isLeaving(this.#connection),
      call.pendingOutcome === "rejected",
    );
    this.#reply = Buffer.concat([prefix ?? noBytes, bytes.subarray(start, end)]);
  }

  flush(): void {
    if (this.#reply === undefined) return;
    const reply = this.#reply;
    this.#reply = undefined;
    if (this.#state === "over") this.#settle(true);
    else this.#respond(200, this.#request.headers["content-type"] ?? defaultMediaType, reply);
  }

  resume(): void {}

  /** The connection ends: what is still being received is not waited for. */
  breakOff(reason: CloseReason): void {
    if (!this.isReceiving) return;
    if (reason === "timeout")
      this.#refuse({ status: 408, text: "the request took too long to arrive\n" }, true);
    else if (reason === "drain")
      this.#refuse({ status: 503, text: "the server is draining; call another one\n" }, true);
    else this.#refuse({ status: 400, text: "the request ended before it was whole\n" }, true);
  }

  /** The connection is gone. */
  lost(): void {
    const answered = this.#state === "answered";
    this.#state = "over";
    this.#body.clear();
    // Of a call that still runs, the reply is orphaned when it comes.
    if (answered) this.#settle(true);
  }

  get #maxBodyBytes(): number {
    return this.#connection.host.limits.maxFrameSizeBytes;
  }

  /** Why the request is no call, as far as its head tells. */
  #judge(): Refusal | undefined {
    const { method, headers } = this.#request;
    if (method === "GET" || method === "HEAD") return { status: 200, text: hint };
    if (isForeignOrigin(headers, this.#connection.origins)) {
      return { status: 403, text: "pages of this origin may not call; see the option origins\n" };
    }
    if (method === "OPTIONS") {
      return { status: 204, text: "", headers: { allow: allowedMethods, ...preflightHeaders(headers) } };
    }
    if (method !== "POST") {
      return { status: 405, text: "POST a Thrift message\n", headers: { allow: allowedMethods } };
    }
    if (!isThriftType(headers["content-type"])) {
      return {
        status: 415,
        text: `give the body one of these types: ${acceptedTypes}\n`,
        headers: { accept: acceptedTypes },
      };
    }
    return undefined;
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== "receiving") return;
    const length = this.#body.length + chunk.length;
    if (++this.#pieces > freePieces && length < this.#pieces * smallestPieceBytes) {
      this.#tooSmall();
      return;
    }
    if (length > this.#maxBodyBytes) this.#tooLarge();
    else if (this.#refusal === undefined) {
      this.#body.append(chunk, Number(this.#request.headers["content-length"] ?? 0));
      this.#connection.host.held(chunk.length);
    }
  }

  #tooSmall(): void {
    this.#body.clear();
    this.#connection.closeReason = "malformed";
    this.#connection.host.malformed(this.#connection, {
      kind: "bad-http",
      message: `a body in ${this.#pieces} pieces of less than ${smallestPieceBytes} bytes`,
    });
    this.#refuse({ status: 400, text: "the body's chunks are too small\n" }, true);
  }

  #tooLarge(): void {
    this.#body.clear();
    this.#connection.host.limited("maxFrameSize");
    this.#refuse({ status: 413, text: `maxFrameSize is ${this.#maxBodyBytes} bytes\n` }, true);
  }

  #received(): void {
    if (this.#state !== "receiving") return;
    this.#state = "calling";
    this.#connection.received();
    if (this.#refusal !== undefined) this.#refuse(this.#refusal, false);
    else this.#dispatch();
  }

  #dispatch(): void {
    const body = this.#body.take();
    const { host, arrival } = this.#connection;
    try {
      const { view, replyForm } = cutSingle(body, host.limits);
      this.replyForm = replyForm;
      const headers = new MessageHeaders({ ...headersOf(this.#request), ...arrival.headers });
      host.desk.arrive(this, headers.before(view, replyForm), host.now(), this.#refusalOfCall);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      host.malformed(this.#connection, error);
      this.#connection.closeReason = "malformed";
      this.#refuse({ status: 400, text: `the body is no Thrift message: ${error.message}\n` }, true);
      return;
    }
    if (this.#call === undefined)
      this.#respond(200, this.#request.headers["content-type"] ?? defaultMediaType, noBytes);
    host.desk.endOfRead(this);
  }

  get #refusalOfCall(): string | undefined {
    const { state, closeReason, inFlight, host } = this.#connection;
    if (state === "refusing" || (state === "ending" && closeReason === "drain")) return drainRefusal;
    if (inFlight < host.maxInFlightPerConnection) return undefined;
    return `overloaded: ${inFlight} calls of this connection are in flight (maxInFlightPerConnection); not started`;
  }

  #refuse({ status, text, headers = {} }: Refusal, close: boolean): void {
    for (const [name, value] of Object.entries(headers)) this.#response.setHeader(name, value);
    if (close) this.#response.setHeader("connection", "close");
    this.#respond(status, "text/plain; charset=utf-8", Buffer.from(text));
  }

  #respond(status: number, contentType: string, body: Buffer): void {
    if (this.#state === "over") return;
    const response = this.#response;
    this.#state = "answered";
    if (this.#connection.isLastResponse) response.setHeader("connection", "close");
    for (const [name, value] of Object.entries(originHeaders(this.#request.headers)))
      response.setHeader(name, value);
    if (status !== 204) {
      response.setHeader("content-type", contentType);
      response.setHeader("content-length", body.length);
    }
    this.#responseBytes = body.length;
    this.#connection.host.held(body.length);
    response.writeHead(status);
    response.end(body, () => this.#left());
    this.#connection.answered();
  }

  /** The response is with the kernel, or can't get there: Node calls back for a socket that broke too. */
  #left(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#responseBytes = 0;
    this.#connection.remove(this);
    const { destroyed, errored } = this.#connection.socket;
    this.#settle(destroyed || errored !== null);
    this.#connection.progressed();
  }

  /** Gives the call its outcome, if an answer was owed. */
  #settle(orphaned: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    const { host } = this.#connection;
    this.#connection.inFlight--;
    host.desk.settle(call, orphaned ? "orphaned" : call.pendingOutcome, host.now());
  }
}
