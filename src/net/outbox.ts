/**
 * What leaves a connection: replies in the order that the connection keeps, gathered and written in
 * one piece per turn. A call counts as completed when the kernel has its reply.
 */
import type { Writable } from "node:stream";
import type { Call } from "../calls/call.ts";
import type { Outcome } from "../calls/outcome.ts";

/** Hears of the calls whose replies have left. */
export interface OutboxListener {
  /** Whether the server is about to stop: replies in envelopes say so. */
  isLeaving(): boolean;
  /** The kernel has the call's reply, or never will. */
  settle(call: Call, outcome: Outcome): void;
  /** Calls were settled after `flush` had returned. */
  settledLater(): void;
  /** The kernel did not take so many bytes at once. */
  waits(bytes: number): void;
}

const nothing: Buffer = Buffer.alloc(0);

/**
 * Where replies are gathered before they are written, used by all connections in turn: once the kernel has
 * taken all of a write, nothing refers to it any longer. A write that waits keeps it, and there is a new one.
 */
let scratch: Buffer = nothing;
const scratchBytes = 256 * 1024;

/** A place for `size` bytes: in the common buffer, or one of its own when that is too small. */
function placeFor(size: number): Buffer {
  if (size > scratchBytes) return Buffer.allocUnsafeSlow(size);
  if (scratch === nothing) scratch = Buffer.allocUnsafeSlow(scratchBytes);
  return scratch.subarray(0, size);
}

export class Outbox {
  readonly #socket: Writable;
  readonly #listener: OutboxListener;
  /** Pieces to be written: `source[start, end)`. Neighbours in one source are kept as one. */
  readonly #sources: Uint8Array[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #pieces = 0;
  #bytes = 0;
  /** The calls whose replies the pieces are. */
  #calls: Call[] = [];
  /** Calls whose replies the kernel has not taken yet: of each write that is under way, in their order. */
  #unwritten: Call[][] = [];
  #closed = false;
  /** Bytes of the last write. */
  lastWrittenBytes = 0;

  constructor(socket: Writable, listener: OutboxListener) {
    this.#socket = socket;
    this.#listener = listener;
  }

  /** Bytes that the kernel has not taken yet. */
  get unwrittenBytes(): number {
    return this.#bytes + (this.#closed ? 0 : this.#socket.writableLength);
  }

  /** Adds a reply. Its bytes are copied at the next `flush`. */
  add(call: Call, bytes: Uint8Array, start: number, end: number): void {
    if (call.envelope !== null) {
      const neverStarted = call.pendingOutcome === "rejected";
      const prefix = call.envelope.prefix(end - start, this.#listener.isLeaving(), neverStarted);
      this.#addPiece(prefix, 0, prefix.length);
    }
    this.#addPiece(bytes, start, end);
    this.#calls.push(call);
  }

  #addPiece(bytes: Uint8Array, start: number, end: number): void {
    const last = this.#pieces - 1;
    if (last >= 0 && this.#sources[last] === bytes && this.#ends[last] === start) this.#ends[last] = end;
    else {
      this.#sources[this.#pieces] = bytes;
      this.#starts[this.#pieces] = start;
      this.#ends[this.#pieces] = end;
      this.#pieces++;
    }
    this.#bytes += end - start;
  }

  /** Writes what was added. Returns true when the kernel took all of it at once. */
  flush(): boolean {
    if (this.#calls.length === 0) return true;
    const calls = this.#calls;
    // A socket that was destroyed takes nothing, and its `close` may still be on its way.
    if (this.#closed || this.#socket.destroyed) {
      this.#forgetPieces();
      this.#calls = [];
      this.#settleAll(calls, true);
      return true;
    }
    const gathered = this.#gather();
    this.lastWrittenBytes = gathered.length;
    this.#socket.write(gathered);
    if (this.#socket.writableLength > 0) scratch = nothing;
    // A write that failed at once leaves no length behind either.
    else if (this.#unwritten.length === 0 && this.#socket.errored === null) {
      this.#settleAll(calls, false);
      calls.length = 0;
      return true;
    }
    this.#calls = [];
    this.#unwritten.push(calls);
    this.#listener.waits(gathered.length);
    // An empty write behind it: its callback comes when all before it is with the kernel.
    this.#socket.write(nothing, (error) => {
      // Closed meanwhile, and so settled.
      if (this.#unwritten[0] !== calls) return;
      this.#unwritten.shift();
      this.#settleAll(calls, error !== undefined && error !== null);
      this.#listener.settledLater();
    });
    return false;
  }

  /** The connection is gone: what was not written never will be. */
  close(): void {
    this.#closed = true;
    const lost = this.#unwritten;
    this.#unwritten = [];
    for (const calls of lost) this.#settleAll(calls, true);
    this.flush();
  }

  #settleAll(calls: readonly Call[], orphaned: boolean): void {
    for (let at = 0; at < calls.length; at++) {
      const call = calls[at]!;
      this.#listener.settle(call, orphaned ? "orphaned" : call.pendingOutcome);
    }
  }

  /** All pieces as one buffer of their own. */
  #gather(): Buffer {
    const gathered = placeFor(this.#bytes);
    let at = 0;
    for (let piece = 0; piece < this.#pieces; piece++) {
      const source = this.#sources[piece]! as Buffer;
      const start = this.#starts[piece]!;
      const end = this.#ends[piece]!;
      source.copy(gathered, at, start, end);
      at += end - start;
    }
    this.#forgetPieces();
    return gathered;
  }

  #forgetPieces(): void {
    this.#sources.length = 0;
    this.#pieces = 0;
    this.#bytes = 0;
  }
}
