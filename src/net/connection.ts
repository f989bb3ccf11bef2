/**
 * One client's connection: bytes in, messages to the call desk, replies out, and its way to the end.
 *
 * It never closes a socket that could still have something to read: it sends FIN, goes on reading and
 * throws away what comes, until the peer closes too or a bound is reached. Closing earlier makes the
 * kernel reset the connection, and a reset destroys replies that the peer has not read.
 */
import type { Duplex } from "node:stream";
import type { Call, Caller } from "../calls/call.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import { mayBeZlib } from "../wire/detect.ts";
import { type MessageView, WireError } from "../wire/message.ts";
import { type ConnectionHost, drainRefusal } from "./connection-host.ts";
import type { CloseReason, ConnectionState } from "./connection-state.ts";
import { Incoming } from "./incoming.ts";
import { MessageHeaders } from "./message-headers.ts";
import { afterNextRead } from "./next-read.ts";
import { Replies } from "./replies.ts";
import { readShared } from "./shared-read.ts";
import { unreadBytesOf } from "./unread-bytes.ts";
import { ZlibStream } from "./zlib-stream.ts";

/** A connection that leaves reads no further when it has kept so much: a peer that floods it is not read to its end. */
const mostReadLastBytes = 1024 * 1024;

export class Connection implements Caller {
  readonly id: number;
  readonly peer: string;
  readonly peerWords: Int32Array;
  readonly acceptedAtMs: number;
  touched = false;
  onewayLane: { readonly index: number } | null = null;
  onewayPosition = 0;
  state: ConnectionState = "open";
  lastActivityAtMs: number;
  closeReason: CloseReason = "peer";
  readonly #socket: Duplex;
  /** The socket, or the zlib stream over it. */
  #stream: Duplex;
  readonly #host: ConnectionHost;
  readonly #incoming: Incoming;
  readonly #replies: Replies;
  /** Gives every call the headers that the connection has. */
  readonly #headers: MessageHeaders | undefined;
  #nowMs = 0;
  #paused = false;
  /** No lane had room for a call of ours. */
  #blocked = false;
  /** Reading was paused when the drain began to refuse: what the kernel has may have been sent long before. */
  #hasUnread = false;
  #peerEnded = false;
  #discardedBytes = 0;

  /** @param headers what every call of the connection has: what TLS says of the peer */
  constructor(
    id: number,
    socket: Duplex,
    peer: { text: string; words: Int32Array },
    host: ConnectionHost,
    headers?: Readonly<Record<string, string>>,
  ) {
    this.id = id;
    this.peer = peer.text;
    this.peerWords = peer.words;
    this.#socket = socket;
    this.#stream = socket;
    this.#headers = headers && new MessageHeaders(headers);
    this.#host = host;
    this.#incoming = new Incoming(host.limits);
    this.acceptedAtMs = host.now();
    this.lastActivityAtMs = this.acceptedAtMs;
    this.#replies = new Replies(socket, {
      replyOrder: host.replyOrder,
      isLeaving: () => host.isLeaving(this),
      settle: (call, outcome) => this.#settle(call, outcome),
      settledLater: () => this.#afterProgress(),
      held: (bytes) => host.held(bytes),
    });
    this.#listen(socket);
  }

  /**
   * Begins to read, with what was read of the socket before. Without it nothing is read.
   *
   * @param head at least one byte
   */
  begin(head: Buffer): void {
    const stream = this.#stream;
    // What is decompressed has to stay as it is for longer than the shared buffer does.
    if (mayBeZlib(head[0]!)) stream.on("data", this.#onData);
    else readShared(stream, (chunk, shared) => this.#read(chunk, shared));
    this.#read(head, false);
  }

  #listen(stream: Duplex): void {
    stream.on("end", this.#onEnd);
    stream.on("error", this.#onError);
    stream.on("close", this.#onClose);
  }

  readonly #onData = (chunk: Buffer): void => this.#read(chunk, false);
  readonly #onEnd = (): void => this.#peerHasEnded();
  readonly #onError = (error: Error): void => this.#failed(error);
  readonly #onClose = (): void => this.#closed();

  /** The protocol and transport it was told to speak, or undefined while too little was read. */
  get kind(): string | undefined {
    return this.#incoming.kind;
  }

  /** See `Caller`. Known when the first message is cut. */
  get replyForm(): number {
    return this.#incoming.replyForm;
  }

  /** When the first byte of the message came that is not whole yet; 0 when there is none. */
  get partialSinceMs(): number {
    return this.#incoming.partialSinceMs;
  }

  get inFlight(): number {
    return this.#replies.inFlight;
  }

  /** What the quiet rule wants to know. */
  get activity(): ConnectionActivity {
    return {
      lastActivityAtMs: this.lastActivityAtMs,
      partialFrame: this.#incoming.length > 0 && !this.#paused,
      // Whatever the kernel has while reading is paused counts as well.
      undispatched: this.#paused ? 1 : 0,
      inFlight: this.#replies.inFlight,
      unwrittenBytes: this.#replies.unwrittenBytes,
    };
  }

  enter(call: Call): void {
    this.#replies.enter(call);
  }

  leave(_call: Call): void {
    this.#replies.leave();
    this.lastActivityAtMs = this.#host.now();
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    this.#replies.answer(call, bytes, start, end);
  }

  flush(): void {
    this.#replies.flush();
    this.#afterProgress();
  }

  resume(): void {
    this.#blocked = false;
    this.#afterProgress();
  }

  /** In a drain: hands nothing more to workers, and reads nothing while calls are in flight. */
  stopDispatching(): void {
    if (this.state !== "open") return;
    this.state = "refusing";
    this.#hasUnread = this.#paused;
    this.#updatePause();
  }

  /**
   * Refuses what was read whole, then ends. Where reading had been paused before, what the kernel has by now is read too;
   * else that is left to the client's next try, for which it needs no exception. Nothing is refused until then, since a
   * client that never pauses would answer with further calls.
   */
  refuseAndEnd(): void {
    this.stopDispatching();
    if (this.state !== "refusing") return;
    this.state = "leaving";
    if (!this.#hasUnread) this.#refuseRest();
    else {
      this.#updatePause();
      afterNextRead(() => this.#refuseRest());
    }
  }

  #refuseRest(): void {
    if (this.state === "leaving") this.#cut();
    this.end("drain");
  }

  /** Whether nothing was going on when it began to end. */
  wasSilent = false;

  /** Bytes of the last replies, which the kernel may still hold. */
  get bytesWrittenLately(): number {
    return this.#replies.lastWrittenBytes;
  }

  get heldBytes(): number {
    return this.#incoming.heldBytes + this.#replies.unwrittenBytes;
  }

  get unreadBytes(): number {
    return unreadBytesOf(this.#socket);
  }

  /** Sends FIN behind the last reply and throws away what still comes. */
  end(reason: CloseReason): void {
    if (this.state === "closed" || this.state === "ending") return;
    this.wasSilent = this.state === "open" && this.#replies.inFlight === 0 && this.#incoming.length === 0;
    this.state = "ending";
    this.closeReason = reason;
    this.#incoming.clear();
    this.#replies.flush();
    this.#stream.end();
    this.#updatePause();
    this.#host.ending(this);
  }

  /** Gives the connection up at once. */
  destroy(reason: CloseReason): void {
    if (this.state === "closed") return;
    if (this.state !== "ending") this.closeReason = reason;
    this.#stream.destroy();
  }

  #read(chunk: Buffer, shared: boolean): void {
    this.#nowMs = this.#host.now();
    this.lastActivityAtMs = this.#nowMs;
    // Of a zlib stream, the compressed bytes are counted.
    if (!this.#incoming.isZlib) this.#host.bytesRead(chunk.length);
    if (this.state === "ending" || this.state === "broken") {
      this.#discard(chunk.length);
      return;
    }
    this.#incoming.append(chunk, shared);
    if (this.state === "leaving") this.#updatePause();
    else this.#cut();
    this.#incoming.keep(!this.#blocked);
    if (this.#incoming.length > 0) this.#host.held(chunk.length);
  }

  /** After our FIN nothing is answered; a peer that goes on regardless is cut off. */
  #discard(bytes: number): void {
    this.#discardedBytes += bytes;
    if (this.#discardedBytes > this.#host.maxDiscardedBytes) this.#stream.destroy();
  }

  /** Cuts messages out of what was read, as many as are wanted. */
  #cut(): void {
    this.#nowMs = this.#host.now();
    // Calls that are answered at once make room for those behind them, of which nobody else would think again.
    for (let before = -1; this.#cuttable && this.#incoming.length !== before; ) {
      before = this.#incoming.length;
      try {
        if (this.#incoming.cut(this, this.#nowMs) === "zlib") this.#beginZlib(this.#incoming.take());
      } catch (error) {
        this.#malformed(error);
        return;
      }
      this.#blocked = !this.#host.desk.endOfRead(this);
    }
    this.#updatePause();
  }

  /** Whether there is something to be cut, and somebody wants it. */
  get #cuttable(): boolean {
    if (this.#incoming.length === 0) return false;
    return this.state === "leaving" || (this.state === "open" && !this.#wantsNoMore);
  }

  /** Takes one message from the cutter. */
  message(cut: MessageView): boolean {
    const view = this.#headers === undefined ? cut : this.#headers.before(cut, this.replyForm);
    const refusal = this.state === "leaving" ? drainRefusal : undefined;
    this.#host.desk.arrive(this, view, this.#nowMs, refusal);
    return refusal !== undefined || !this.#wantsNoMore;
  }

  /** From now on the connection is what is in the zlib streams over its socket. Nothing was answered before. */
  #beginZlib(head: Buffer): void {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("error", this.#onError);
    socket.off("close", this.#onClose);
    const stream = new ZlibStream(socket, {
      compressedRead: (bytes) => {
        this.lastActivityAtMs = this.#host.now();
        this.#host.bytesRead(bytes);
      },
      corrupted: (error) =>
        this.#malformed(
          new WireError("bad-compression", `the connection's zlib stream is broken: ${error.message}`),
        ),
    });
    this.#stream = stream;
    this.#replies.goOnWith(stream);
    this.#listen(stream);
    stream.on("data", this.#onData);
    stream.receive(head);
  }

  #malformed(error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    if (!this.#hearsMessages) return;
    this.#host.desk.endOfRead(this);
    this.#host.malformed(this, error);
    this.closeReason = "malformed";
    if (this.#replies.inFlight === 0) this.end("malformed");
    else this.#break();
  }

  /** The calls before the malformed bytes are answered first. */
  #break(): void {
    if (!this.#hearsMessages) return;
    this.state = "broken";
    this.#incoming.clear();
    this.#updatePause();
  }

  get #wantsNoMore(): boolean {
    const { maxInFlightPerConnection, writeHighWaterBytes } = this.#host;
    return (
      this.#blocked ||
      this.#replies.inFlight >= maxInFlightPerConnection ||
      this.#replies.unwrittenBytes > writeHighWaterBytes
    );
  }

  /** Reading stops while no more is wanted, and goes on by itself when that is over. */
  #updatePause(): void {
    const { state } = this;
    const pause =
      state === "refusing" ||
      (state === "leaving" && this.#incoming.length > mostReadLastBytes) ||
      (state === "open" && this.#wantsNoMore);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (!pause) this.#stream.resume();
    else {
      this.#stream.pause();
      if (this.state === "open" && !this.#blocked) this.#host.limited(this.#pausedBy);
    }
  }

  get #pausedBy(): string {
    const { maxInFlightPerConnection } = this.#host;
    return this.#replies.inFlight >= maxInFlightPerConnection ? "maxInFlightPerConnection" : "writeHighWater";
  }

  /** Something left: perhaps more is wanted now, perhaps the end has come. */
  #afterProgress(): void {
    if (this.state === "closed" || this.state === "leaving") return;
    if (this.#paused && this.state === "open" && !this.#wantsNoMore) {
      this.#paused = false;
      this.#cut();
      if (!this.#paused) this.#stream.resume();
    }
    if (this.#replies.inFlight > 0) return;
    if (this.state === "broken") this.end("malformed");
    // What was read whole is still to be run, or to be refused.
    else if (this.#peerEnded && !this.#paused) this.end("peer");
    else this.#host.idle(this);
  }

  #settle(call: Call, outcome: Outcome): void {
    this.lastActivityAtMs = this.#host.now();
    this.#host.desk.settle(call, outcome, this.lastActivityAtMs);
  }

  /** The peer sends no more. It may still read: replies that are owed still go out. */
  #peerHasEnded(): void {
    this.#peerEnded = true;
    if (this.state === "leaving") return;
    if (this.#replies.inFlight === 0 && !this.#paused) this.end("peer");
  }

  #failed(_error: Error): void {
    if (this.#hearsMessages) this.closeReason = "error";
  }

  /** Whether what comes is still taken for messages. */
  get #hearsMessages(): boolean {
    return this.state === "open" || this.state === "refusing" || this.state === "leaving";
  }

  #closed(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#incoming.clear();
    this.#replies.close();
    this.#host.closed(this);
  }
}
