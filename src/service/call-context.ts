/** The one implementation of `CurrentCall`, over whatever link the thread has to the main thread. */
import { readHeaderBlock } from "../wire/info-headers.ts";
import { peerCertificateHeader } from "../wire/reserved-headers.ts";
import {
  CallAbortedError,
  CallBrokenError,
  type CurrentCall,
  type PeerCertificate,
  type ProtectedSection,
} from "./current-call.ts";

/** What a call's context needs of the thread it runs in. A slot is valid for one `serial` only. */
export interface CallLink {
  /** The serial of the call in a slot. */
  serialOf(slot: number): number;
  peerOf(slot: number): string;
  /** As `Date.now()` counts; undefined for never. */
  deadlineOf(slot: number): number | undefined;
  /** Whether the call's `signal` has to be aborted. */
  isAborted(slot: number, serial: number): boolean;
  /** Whether a stop waits for calls to end. */
  isWaitedFor(): boolean;
  /**
   * Protects a call for `ms` from now.
   *
   * @throws {ProtectionDeniedError}
   */
  protect(slot: number, serial: number, ms: number): void;
  unprotect(slot: number, serial: number): void;
  /** Counts a promise that a drain has to wait for. */
  background(promise: PromiseLike<unknown>, what: string): void;
  /** Wants to hear of the abort of a call. */
  onAbort(slot: number, serial: number, abort: (reason: string) => void): void;
}

/** The context of one call. Outlives the call: then it answers for what it knew. */
export class CallContext implements CurrentCall {
  readonly service: string;
  readonly method: string;
  readonly seqid: number;
  readonly #link: CallLink;
  readonly #slot: number;
  readonly #serial: number;
  #abort: AbortController | undefined;
  #protections = 0;
  #peer: string | undefined;
  #headers: Buffer | Readonly<Record<string, string>> | null;
  #peerCertificate: PeerCertificate | undefined;

  /** @param headers the header block that came with the call, or null */
  constructor(
    link: CallLink,
    slot: number,
    service: string,
    method: string,
    seqid: number,
    headers: Buffer | null,
  ) {
    this.#link = link;
    this.#slot = slot;
    this.#serial = link.serialOf(slot);
    this.service = service;
    this.method = method;
    this.seqid = seqid;
    this.#headers = headers;
  }

  get peer(): string {
    // Read when it is asked for: making a text of it costs more than a whole small call.
    if (this.#peer === undefined && this.#live) this.#peer = this.#link.peerOf(this.#slot);
    return this.#peer ?? "";
  }

  get headers(): Readonly<Record<string, string>> {
    if (Buffer.isBuffer(this.#headers)) this.#readHeaders(this.#headers);
    return (this.#headers as Readonly<Record<string, string>> | null) ?? noHeaders;
  }

  get peerCertificate(): PeerCertificate | undefined {
    if (Buffer.isBuffer(this.#headers)) this.#readHeaders(this.#headers);
    return this.#peerCertificate;
  }

  #readHeaders(block: Buffer): void {
    const { [peerCertificateHeader]: certificate, ...headers } = readHeaderBlock(block);
    this.#headers = Object.freeze(headers);
    // Clients can't send this header: it is the server's own.
    if (certificate !== undefined) this.#peerCertificate = JSON.parse(certificate) as PeerCertificate;
  }

  /** What finds the call in other logs: its number, as in the access log, and what its caller sent for that. */
  get correlation(): { readonly call: number; readonly requestId?: string; readonly traceparent?: string } {
    const { "x-request-id": requestId, traceparent } = this.headers;
    return {
      call: this.#serial,
      ...(requestId === undefined ? {} : { requestId: requestId.slice(0, longestIdLength) }),
      ...(traceparent === undefined ? {} : { traceparent: traceparent.slice(0, longestIdLength) }),
    };
  }

  get deadline(): number | undefined {
    return this.#live ? this.#link.deadlineOf(this.#slot) : undefined;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      if (this.stopping) abort.abort(abortedError("the server stops"));
      else this.#link.onAbort(this.#slot, this.#serial, (reason) => abort.abort(abortedError(reason)));
    }
    return this.#abort.signal;
  }

  get stopping(): boolean {
    return this.#link.isAborted(this.#slot, this.#serial);
  }

  protect(ms: number): ProtectedSection {
    this.#link.protect(this.#slot, this.#serial, ms);
    this.#protections++;
    let open = true;
    return {
      renew: (renewedMs = ms) => {
        if (open) this.#link.protect(this.#slot, this.#serial, renewedMs);
      },
      [Symbol.dispose]: () => {
        if (!open) return;
        open = false;
        if (--this.#protections === 0) this.#link.unprotect(this.#slot, this.#serial);
      },
    };
  }

  allowBreak(): void {
    if (this.stopping || this.#link.isWaitedFor()) throw new CallBrokenError();
  }

  background(promise: PromiseLike<unknown>): void {
    this.#link.background(promise, this.method);
  }

  get #live(): boolean {
    return this.#link.serialOf(this.#slot) === this.#serial;
  }
}

/** What clients send as an id is cut off behind so many characters. */
const longestIdLength = 128;

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

function abortedError(reason: string): CallAbortedError {
  return new CallAbortedError(reason);
}
