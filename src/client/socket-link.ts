/**
 * One connection, over TCP, TLS or a Unix domain socket, with many calls in flight. The calls of one turn of the event
 * loop are written in one piece.
 */
import type { Socket } from "node:net";
import { Inbox } from "../wire/inbox.ts";
import { readHeaderBlock } from "../wire/info-headers.ts";
import type { Cutter, MessageSink, MessageView } from "../wire/message.ts";
import type { Address } from "./address.ts";
import type { ClientCall } from "./call.ts";
import type { Answer } from "./call-codec.ts";
import type { Link, LinkOwner, LinkSettings, LinkState } from "./link.ts";
import { openSocket } from "./open-socket.ts";
import { PendingCalls } from "./pending-calls.ts";
import { judge, saysLeaving } from "./refusals.ts";
import { createReplyCutter, theaderOf } from "./transports.ts";

/** All links write from one buffer, which is used again when the kernel took all of it. */
let scratch: Buffer | undefined;
const scratchBytes = 256 * 1024;

/** Calls that were given up and may still be answered, before the connection is replaced. */
const mostGivenUp = 1000;
/** Calls that were given up before they were written, and may stay in the queue. */
const mostGaps = 64;

const oneway: Answer = { kind: "result", value: undefined };

export class SocketLink implements Link, MessageSink {
  readonly endpoint: LinkOwner;
  readonly gone: Promise<void>;
  state: LinkState = "connecting";
  live = 0;
  stalled = false;
  readonly #settings: LinkSettings;
  readonly #socket: Socket;
  readonly #cutter: Cutter;
  readonly #inbox = new Inbox();
  /** Calls that an answer may still come for, by seqid; some have been settled or went another way. */
  readonly #pending = new PendingCalls();
  #unsent: ClientCall[] = [];
  /** Calls in the queue that were given up. */
  #gaps = 0;
  #flushing = false;
  /** When something came last, or a call was given to it while nothing was owed. */
  #heardMs = 0;

  constructor(address: Address, owner: LinkOwner, settings: LinkSettings) {
    this.endpoint = owner;
    this.#settings = settings;
    this.#cutter = createReplyCutter(settings);
    this.#socket = openSocket(address, settings, {
      opened: () => this.#opened(),
      read: (chunk, borrowed) => this.#read(chunk, borrowed),
      writable: () => this.#flush(),
      ended: (cause) => this.#end(cause),
    });
    this.gone = new Promise((resolve) => this.#socket.once("close", () => resolve()));
  }

  get owed(): number {
    return this.#pending.size;
  }

  get silentSinceMs(): number | undefined {
    return this.live > 0 && this.state !== "connecting" ? this.#heardMs : undefined;
  }

  send(call: ClientCall): void {
    call.carrier = this;
    call.state = "queued";
    // While it owes answers to calls that were given up, it has been silent for longer than this one waits.
    if (this.owed === 0) this.#heardMs = this.#settings.clock.now();
    this.live++;
    this.endpoint.inFlight++;
    this.#pending.add(call);
    this.#unsent.push(call);
    this.#schedule();
  }

  knows(call: ClientCall): boolean {
    return this.#pending.get(call.seqid) === call;
  }

  waiting(): ClientCall[] {
    return this.#pending.all().filter((call) => call.carrier === this);
  }

  release(call: ClientCall): void {
    this.#forget(call);
    if (call.state === "queued") {
      this.#pending.remove(call.seqid);
      this.#closeGaps();
    }
    // Answers that never come are not waited for without end, and what seems to be dead gets no further calls.
    if (this.owed - this.live > mostGivenUp || this.#isMute()) this.leave();
    this.#endIfUnused();
  }

  leave(): void {
    if (this.state === "leaving" || this.state === "over") return;
    const wasConnecting = this.state === "connecting";
    this.state = "leaving";
    const unsent: ClientCall[] = [];
    for (const call of this.#unsent) {
      if (!this.#isUnsent(call)) continue;
      this.#pending.remove(call.seqid);
      this.#forget(call);
      unsent.push(call);
    }
    this.#unsent = [];
    for (const call of unsent) {
      const failure = { kind: "not-started", reached: false, cause: undefined } as const;
      this.endpoint.failed(call, failure, this);
    }
    this.#endIfUnused();
    // It has nothing to write, and might wait long for the connection to stand.
    if (wasConnecting) this.#socket.destroy();
  }

  destroy(cause: unknown): void {
    this.#end(cause);
    // One that is over may still be writing.
    this.#socket.destroy();
  }

  /** Takes a reply out of what came. */
  message(view: MessageView): boolean {
    const headers = this.#readHeaders(view);
    if (headers !== undefined && (headers[":drain"] === "true" || headers["connection"] === "goaway")) {
      this.endpoint.serverLeaves(this);
    }
    const call = this.#pending.get(view.seqid);
    if (call === undefined) return this.state !== "over";
    this.#pending.remove(view.seqid);
    if (call.state !== "settled") {
      this.#answer(
        call,
        this.#settings.codec.decode(call.method.receive, view),
        headers?.["sluice-retry"] === "safe",
      );
    }
    return this.state !== "over";
  }

  #answer(call: ClientCall, answer: Answer, safe: boolean): void {
    const verdict = judge(answer, safe);
    if (verdict !== "final" && saysLeaving(answer)) this.endpoint.serverLeaves(this);
    if (call.carrier === this) this.#forget(call);
    // An earlier attempt's: the latest may still do better.
    else if (verdict !== "final") return;
    if (verdict === "final") this.endpoint.answered(call, answer, this);
    else this.endpoint.failed(call, { kind: verdict, reached: true, cause: answer }, this);
  }

  /** Whether it has brought nothing for so long that its connection may be dead, whatever its server is. */
  #isMute(): boolean {
    const { clock, stallMs } = this.#settings;
    return this.state === "open" && this.owed > 0 && clock.now() - this.#heardMs >= stallMs;
  }

  /** Whether a call of the queue is still to be written. */
  #isUnsent(call: ClientCall): boolean {
    return call.carrier === this && call.state === "queued";
  }

  /** A queue that is not written, since its server takes nothing, must not keep what was given up. */
  #closeGaps(): void {
    if (++this.#gaps <= mostGaps || this.#gaps <= this.#unsent.length / 2) return;
    this.#unsent = this.#unsent.filter((call) => this.#isUnsent(call));
    this.#gaps = 0;
  }

  /** The call waits for this link no longer. */
  #forget(call: ClientCall): void {
    call.carrier = undefined;
    this.live--;
    this.endpoint.inFlight--;
  }

  #opened(): void {
    if (this.state !== "connecting") return;
    this.state = "open";
    this.#heardMs = this.#settings.clock.now();
    this.endpoint.opened(this);
    this.#schedule();
  }

  #read(chunk: Buffer, borrowed: boolean): void {
    if (this.state === "over") return;
    this.#heardMs = this.#settings.clock.now();
    if (this.stalled) {
      this.stalled = false;
      this.endpoint.spoke(this);
    }
    try {
      this.#inbox.append(chunk, borrowed);
      this.#inbox.cut(this.#cutter, this);
      this.#inbox.keep(true);
    } catch (error) {
      this.#end(error);
      return;
    }
    this.#endIfUnused();
  }

  #readHeaders({ envelope, bytes, start }: MessageView): Record<string, string> | undefined {
    if (envelope === null || envelope.headerBytes === 0) return undefined;
    return readHeaderBlock(bytes.subarray(start - envelope.headerBytes, start));
  }

  #schedule(): void {
    if (this.#flushing || this.state === "connecting") return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.state !== "open" || this.#unsent.length === 0 || this.#socket.writableNeedDrain) return;
    const pieces: Buffer[] = [];
    const oneways: ClientCall[] = [];
    let size = 0;
    const nowMs = this.#settings.clock.now();
    for (const call of this.#unsent) {
      if (!this.#isUnsent(call)) continue;
      call.state = "sent";
      if (this.#settings.transport === "header") {
        const prefix = theaderOf(call, this.#settings.protocol, nowMs);
        pieces.push(prefix);
        size += prefix.length;
      }
      pieces.push(call.bytes);
      size += call.bytes.length;
      if (call.method.receive === undefined) oneways.push(call);
    }
    this.#unsent = [];
    this.#gaps = 0;
    if (size > 0) this.#write(pieces, size, oneways);
  }

  #write(pieces: readonly Buffer[], size: number, oneways: readonly ClientCall[]): void {
    scratch ??= Buffer.allocUnsafeSlow(scratchBytes);
    const place = size > scratchBytes ? Buffer.allocUnsafeSlow(size) : scratch;
    let at = 0;
    for (const piece of pieces) at += piece.copy(place, at);
    this.#socket.write(
      place.subarray(0, size),
      oneways.length === 0 ? undefined : (error) => this.#passed(oneways, error),
    );
    // What the kernel did not take is still in it.
    if (this.#socket.writableLength > 0 && place === scratch) scratch = undefined;
  }

  /** The kernel has the oneway calls, or there was an error, of which the socket tells next: it ends the connection. */
  #passed(calls: readonly ClientCall[], error: Error | null | undefined): void {
    if (this.state === "over" || (error ?? undefined) !== undefined) return;
    for (const call of calls) {
      if (!this.#pending.remove(call.seqid) || call.carrier !== this) continue;
      this.#forget(call);
      this.endpoint.answered(call, oneway, this);
    }
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.live > 0 || this.state === "over") return;
    if (this.state !== "leaving" && !this.stalled) return;
    this.state = "over";
    this.#pending.clear();
    this.endpoint.ended(this, "leaving", 0, undefined);
    // What the kernel has not taken are calls that were given up: for them a server that takes nothing is not waited for.
    if (this.stalled || this.#socket.writableLength > 0) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  #end(cause: unknown): void {
    if (this.state === "over") return;
    const was = this.state;
    this.state = "over";
    this.#socket.destroy();
    const lost = this.waiting();
    this.#pending.clear();
    this.#unsent = [];
    this.endpoint.ended(this, was, lost.length, cause);
    for (const call of lost) {
      if (call.carrier !== this) continue;
      const kind = call.state === "queued" ? "not-started" : "unknown";
      this.#forget(call);
      this.endpoint.failed(call, { kind, reached: kind === "unknown", cause }, this);
    }
  }
}
