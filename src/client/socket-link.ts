/**
 * One connection, over TCP, TLS or a Unix domain socket, with many calls in flight. The calls of one turn of the event
 * loop are written in one piece.
 */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Inbox } from "../wire/inbox.ts";
import { readHeaderBlock } from "../wire/info-headers.ts";
import type { Cutter, MessageSink, MessageView } from "../wire/message.ts";
import type { Address } from "./address.ts";
import type { ClientCall } from "./call.ts";
import type { Answer } from "./call-codec.ts";
import type { Link, LinkOwner, LinkSettings, LinkState } from "./link.ts";
import { PendingCalls } from "./pending-calls.ts";
import { judge, saysLeaving } from "./refusals.ts";
import { createReplyCutter, theaderOf } from "./transports.ts";

/** All links read into one buffer: what came is handled before the next read. */
let sharedRead: Buffer | undefined;
const sharedReadBytes = 256 * 1024;
/** And write from one, which is used again when the kernel took all of it. */
let scratch: Buffer | undefined;
const scratchBytes = 256 * 1024;

/** Calls that were given up and may still be answered, before the connection is replaced. */
const mostGivenUp = 1000;

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
  #flushing = false;
  /** When something came last, or was sent while nothing was owed. */
  #heardMs = 0;

  constructor(address: Address, owner: LinkOwner, settings: LinkSettings) {
    this.endpoint = owner;
    this.#settings = settings;
    this.#cutter = createReplyCutter(settings);
    this.#socket = this.#open(address);
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
    if (this.live++ === 0) this.#heardMs = this.#settings.clock.now();
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
    if (call.state === "queued") this.#pending.remove(call.seqid);
    // Answers that never come are not waited for without end.
    if (this.owed - this.live > mostGivenUp) this.leave();
    this.#endIfUnused();
  }

  leave(): void {
    if (this.state === "leaving" || this.state === "over") return;
    this.state = "leaving";
    const unsent = this.#unsent.filter((call) => call.carrier === this && call.state === "queued");
    this.#unsent = [];
    for (const call of unsent) {
      this.#pending.remove(call.seqid);
      this.#forget(call);
    }
    for (const call of unsent) {
      const failure = { kind: "not-started", reached: false, cause: undefined } as const;
      this.endpoint.failed(call, failure, this);
    }
    this.#endIfUnused();
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
        this.#settings.codec.decode(call.method.receive!, view),
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

  /** The call waits for this link no longer. */
  #forget(call: ClientCall): void {
    call.carrier = undefined;
    this.live--;
    this.endpoint.inFlight--;
  }

  #open({ connect, servername }: Address): Socket {
    const { tls, connectTimeoutMs } = this.#settings;
    const socket =
      tls === undefined
        ? connectPlain({ ...connect, noDelay: true, onread: this.#onread() })
        : connectTls({ ...connect, ...(servername === undefined ? {} : { servername }), ...tls });
    // Before the connection stands nothing comes, and a socket's own time-out is about silence.
    socket.setTimeout(connectTimeoutMs, () => {
      if (this.state === "connecting") this.#end(new Error(`no connection within ${connectTimeoutMs} ms`));
    });
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      socket.setTimeout(0);
      if (tls !== undefined) socket.setNoDelay(true);
      this.#opened();
    });
    if (tls !== undefined) socket.on("data", (chunk: Buffer) => this.#read(chunk, false));
    socket.on("drain", () => this.#flush());
    socket.on("end", () => this.#end(new Error("the server closed the connection")));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
    return socket;
  }

  #onread(): { buffer: Buffer; callback: (size: number) => boolean } {
    sharedRead ??= Buffer.allocUnsafeSlow(sharedReadBytes);
    const buffer = sharedRead;
    return {
      buffer,
      callback: (size) => {
        this.#read(buffer.subarray(0, size), true);
        return true;
      },
    };
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
      if (call.carrier !== this || call.state !== "queued") continue;
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
    if (size > 0) this.#write(pieces, size, oneways);
  }

  #write(pieces: readonly Buffer[], size: number, oneways: readonly ClientCall[]): void {
    scratch ??= Buffer.allocUnsafeSlow(scratchBytes);
    const place = size > scratchBytes ? Buffer.allocUnsafeSlow(size) : scratch;
    let at = 0;
    for (const piece of pieces) at += piece.copy(place, at);
    this.#socket.write(
      place.subarray(0, size),
      oneways.length === 0 ? undefined : () => this.#passed(oneways),
    );
    // What the kernel did not take is still in it.
    if (this.#socket.writableLength > 0 && place === scratch) scratch = undefined;
  }

  /** The kernel has the oneway calls. After an error the connection has ended, and with it the calls. */
  #passed(calls: readonly ClientCall[]): void {
    if (this.state === "over") return;
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
    if (this.stalled) this.#socket.destroy();
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
