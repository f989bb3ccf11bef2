/**
 * One client's connection: bytes in, messages to the call desk, replies out, and its way to the end.
 *
 * It never closes a socket that could still have something to read: it sends FIN, goes on reading and
 * throws away what comes, until the peer closes too or a bound is reached. Closing earlier makes the
 * kernel reset the connection, and a reset destroys replies that the peer has not read.
 */
import type { Socket } from "node:net";
import type { Call, Caller } from "../calls/call.ts";
import { ReplyForm } from "../calls/call.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import { detectCutter } from "../wire/detect.ts";
import { Inbox } from "../wire/inbox.ts";
import { type Cutter, type MessageView, WireError } from "../wire/message.ts";
import { ProtocolNumber } from "../wire/protocol-names.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { Outbox } from "./outbox.ts";
import { ReplyOrder } from "./reply-order.ts";
import { readShared } from "./shared-read.ts";

/**
 * - `open`: reads and answers. → `refusing`, `broken`, `ending`, `closed`
 * - `refusing`: a drain does not wait for its silence any longer: what is read whole is not handed to
 *   workers, and is refused once nothing is in flight. → `ending`, `closed`
 * - `broken`: bytes came that are no message, and calls before them are in flight. Nothing more is read as a
 *   message; our FIN follows the last of their replies. → `ending`, `closed`
 * - `ending`: our FIN follows the last reply; what still comes is thrown away. → `closed`
 * - `closed`: the socket is gone. Calls in flight go on; their replies are orphaned.
 */
export type ConnectionState = "open" | "refusing" | "broken" | "ending" | "closed";

/** Why a connection was closed, as it is counted. */
export type CloseReason = "peer" | "drain" | "malformed" | "timeout" | "error";

export class Connection implements Caller {
  readonly id: number;
  readonly peer: string;
  readonly peerWords: Int32Array;
  readonly acceptedAtMs: number;
  touched = false;
  onewayLane: { readonly index: number } | null = null;
  onewayPosition = 0;
  replyForm = 0;
  state: ConnectionState = "open";
  lastActivityAtMs: number;
  /** When the first byte of the message came that is not whole yet; 0 when there is none. */
  partialSinceMs = 0;
  closeReason: CloseReason = "peer";
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #inbox = new Inbox();
  readonly #outbox: Outbox;
  readonly #order: ReplyOrder;
  #cutter: Cutter | undefined;
  #inFlight = 0;
  #nowMs = 0;
  #paused = false;
  /** No lane had room for a call of ours. */
  #blocked = false;
  #peerEnded = false;
  #discardedBytes = 0;

  constructor(id: number, socket: Socket, peer: { text: string; words: Int32Array }, host: ConnectionHost) {
    this.id = id;
    this.peer = peer.text;
    this.peerWords = peer.words;
    this.#socket = socket;
    this.#host = host;
    this.acceptedAtMs = host.now();
    this.lastActivityAtMs = this.acceptedAtMs;
    this.#outbox = new Outbox(socket, {
      settle: (call, outcome) => this.#settle(call, outcome),
      settledLater: () => this.#afterProgress(),
    });
    this.#order = new ReplyOrder(this.#outbox, host.replyOrder);
    readShared(socket, (chunk, shared) => this.#read(chunk, shared));
    socket.on("end", () => this.#peerHasEnded());
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => this.#closed());
  }

  /** The protocol and transport it was told to speak, or undefined while too little was read. */
  get kind(): string | undefined {
    const cutter = this.#cutter;
    return cutter && `${cutter.framed ? "framed" : "unframed"}-${cutter.protocol}`;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What the quiet rule wants to know. */
  get activity(): ConnectionActivity {
    return {
      lastActivityAtMs: this.lastActivityAtMs,
      partialFrame: this.#inbox.length > 0 && !this.#paused,
      undispatched: this.#inbox.length > 0 && this.#paused ? 1 : 0,
      inFlight: this.#inFlight,
      unwrittenBytes: this.#outbox.unwrittenBytes + this.#order.keptBytes,
    };
  }

  enter(call: Call): void {
    this.#inFlight++;
    if (!call.method!.oneway) this.#order.enter(call);
  }

  leave(_call: Call): void {
    this.#inFlight--;
    this.lastActivityAtMs = this.#host.now();
  }

  answer(call: Call, bytes: Uint8Array, start: number, end: number): void {
    this.#order.answer(call, bytes, start, end);
  }

  flush(): void {
    this.#outbox.flush();
    this.#afterProgress();
  }

  resume(): void {
    this.#blocked = false;
    this.#afterProgress();
  }

  /** In a drain: hands nothing more to workers. What was read whole is refused when nothing is in flight. */
  stopDispatching(): void {
    if (this.state !== "open") return;
    this.state = "refusing";
    this.#updatePause();
  }

  /** Refuses what was read whole, then ends. */
  refuseAndEnd(): void {
    if (this.state === "open") this.state = "refusing";
    if (this.state !== "refusing") return;
    this.#cut();
    this.end("drain");
  }

  /** Whether nothing was going on when it began to end. */
  wasSilent = false;

  /** Bytes of the last replies, which the kernel may still hold. */
  get bytesWrittenLately(): number {
    return this.#outbox.lastWrittenBytes;
  }

  /** Sends FIN behind the last reply and throws away what still comes. */
  end(reason: CloseReason): void {
    if (this.state === "closed" || this.state === "ending") return;
    this.wasSilent = this.state === "open" && this.#inFlight === 0 && this.#inbox.length === 0;
    this.state = "ending";
    this.closeReason = reason;
    this.#inbox.clear();
    this.partialSinceMs = 0;
    this.#outbox.flush();
    this.#socket.end();
    this.#updatePause();
    this.#host.ending(this);
  }

  /** Gives the connection up at once. */
  destroy(reason: CloseReason): void {
    if (this.state === "closed") return;
    if (this.state !== "ending") this.closeReason = reason;
    this.#socket.destroy();
  }

  #read(chunk: Buffer, shared: boolean): void {
    this.#nowMs = this.#host.now();
    this.lastActivityAtMs = this.#nowMs;
    this.#host.bytesRead(chunk.length);
    if (this.state === "ending" || this.state === "broken") {
      this.#discard(chunk.length);
      return;
    }
    this.#inbox.append(chunk, shared);
    this.#cut();
    this.#inbox.keep(!this.#blocked);
  }

  /** After our FIN nothing is answered; a peer that goes on regardless is cut off. */
  #discard(bytes: number): void {
    this.#discardedBytes += bytes;
    if (this.#discardedBytes > this.#host.maxDiscardedBytes) this.#socket.destroy();
  }

  /** Cuts messages out of what was read, as many as are wanted. */
  #cut(): void {
    this.#nowMs = this.#host.now();
    // Calls that are answered at once make room for those behind them, of which nobody else would think again.
    for (let before = -1; this.#cuttable && this.#inbox.length !== before; ) {
      before = this.#inbox.length;
      try {
        this.#cutter ??= this.#detect();
        if (this.#cutter !== undefined) this.#inbox.cut(this.#cutter, this);
      } catch (error) {
        this.#malformed(error);
        return;
      }
      this.#notePartial(before);
      this.#blocked = !this.#host.desk.endOfRead(this);
    }
    this.#updatePause();
  }

  /** Whether there is something to be cut, and somebody wants it. */
  get #cuttable(): boolean {
    if (this.#inbox.length === 0) return false;
    return this.state === "refusing" ? this.#inFlight === 0 : this.state === "open" && !this.#wantsNoMore;
  }

  /** @param before how many bytes waited before messages were cut */
  #notePartial(before: number): void {
    const { length } = this.#inbox;
    if (length === 0) this.partialSinceMs = 0;
    else if (length < before || this.partialSinceMs === 0) this.partialSinceMs = this.#nowMs;
  }

  /** Takes one message from the cutter. */
  message(view: MessageView): boolean {
    const refusal =
      this.state === "refusing" ? "the server is draining; not started, call another one" : undefined;
    this.#host.desk.arrive(this, view, this.#nowMs, refusal);
    return refusal !== undefined || !this.#wantsNoMore;
  }

  #detect(): Cutter | undefined {
    const { bytes, start, end } = this.#inbox.peek();
    const cutter = detectCutter(bytes, start, end, this.#host.limits);
    if (cutter !== undefined) {
      this.replyForm = ProtocolNumber[cutter.protocol] | (cutter.framed ? ReplyForm.FRAMED : 0);
    }
    return cutter;
  }

  #malformed(error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    this.#host.desk.endOfRead(this);
    this.#host.malformed(this, error);
    this.closeReason = "malformed";
    if (this.#inFlight === 0) this.end("malformed");
    else this.#break();
  }

  /** The calls before the malformed bytes are answered first. */
  #break(): void {
    if (this.state !== "open" && this.state !== "refusing") return;
    this.state = "broken";
    this.#inbox.clear();
    this.partialSinceMs = 0;
    this.#updatePause();
  }

  get #wantsNoMore(): boolean {
    const { maxInFlightPerConnection, writeHighWaterBytes } = this.#host;
    return (
      this.#blocked ||
      this.#inFlight >= maxInFlightPerConnection ||
      this.#outbox.unwrittenBytes + this.#order.keptBytes > writeHighWaterBytes
    );
  }

  /** Reading stops while no more is wanted, and goes on by itself when that is over. */
  #updatePause(): void {
    const pause = this.state === "refusing" || (this.state === "open" && this.#wantsNoMore);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Something left: perhaps more is wanted now, perhaps the end has come. */
  #afterProgress(): void {
    if (this.state === "closed") return;
    if (this.#paused && this.state === "open" && !this.#wantsNoMore) {
      this.#paused = false;
      this.#cut();
      if (!this.#paused) this.#socket.resume();
    }
    if (this.#inFlight > 0) return;
    if (this.state === "broken") this.end("malformed");
    // What was read whole is still to be run, or to be refused.
    else if (this.#peerEnded && !this.#paused) this.end("peer");
    else this.#host.idle(this);
  }

  #settle(call: Call, outcome: Outcome): void {
    this.#inFlight--;
    this.lastActivityAtMs = this.#host.now();
    this.#host.desk.settle(call, outcome, this.lastActivityAtMs);
  }

  /** The peer sends no more. It may still read: replies that are owed still go out. */
  #peerHasEnded(): void {
    this.#peerEnded = true;
    if (this.#inFlight === 0 && !this.#paused) this.end("peer");
  }

  #failed(_error: Error): void {
    if (this.state === "open" || this.state === "refusing") this.closeReason = "error";
  }

  #closed(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#inbox.clear();
    this.partialSinceMs = 0;
    this.#outbox.close();
    this.#host.closed(this);
  }
}
