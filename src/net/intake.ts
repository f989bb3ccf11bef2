/** A connection from its accept until its first bytes have told what it speaks. Nothing is answered here. */
import type { Socket } from "node:net";
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import type { Arrival } from "./arrival.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { CloseReason, ConnectionState } from "./connection-state.ts";
import { recogniseSpeech, type Speech } from "./intake-speech.ts";
import type { LiveConnection } from "./live-connection.ts";
import { endSocket, ignoreError } from "./socket-ending.ts";

/** Takes over a connection whose speech is known. `head` has been read of it and is not in the socket. */
export type Recognised = (intake: Intake, speech: Speech, head: Buffer) => void;

export class Intake implements LiveConnection {
  readonly socket: Socket;
  readonly arrival: Arrival;
  readonly kind = undefined;
  readonly inFlight = 0;
  readonly bytesWrittenLately = 0;
  readonly unreadBytes = 0;
  state: ConnectionState = "open";
  closeReason: CloseReason = "peer";
  wasSilent = false;
  lastActivityAtMs: number;
  partialSinceMs = 0;
  readonly #host: ConnectionHost;
  readonly #recognised: Recognised;
  #head: Buffer | undefined;

  constructor(socket: Socket, arrival: Arrival, host: ConnectionHost, recognised: Recognised) {
    this.socket = socket;
    this.arrival = arrival;
    this.#host = host;
    this.#recognised = recognised;
    this.lastActivityAtMs = host.now();
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
    socket.on("error", ignoreError);
  }

  get peer(): string {
    return this.arrival.peer.text;
  }

  get activity(): ConnectionActivity {
    return {
      lastActivityAtMs: this.lastActivityAtMs,
      partialFrame: this.partialSinceMs > 0,
      undispatched: 0,
      inFlight: 0,
      unwrittenBytes: 0,
    };
  }

  get heldBytes(): number {
    return this.#head?.length ?? 0;
  }

  stopDispatching(): void {}

  refuseAndEnd(): void {
    this.end("drain");
  }

  end(reason: CloseReason): void {
    if (this.state !== "open") return;
    this.state = "ending";
    this.closeReason = reason;
    this.wasSilent = this.partialSinceMs === 0;
    this.partialSinceMs = 0;
    endSocket(this.socket, this.#host.maxDiscardedBytes);
    this.#host.ending(this);
  }

  /** Ends it because of what it said. */
  refuse(): void {
    this.end("malformed");
  }

  destroy(reason: CloseReason): void {
    if (this.state === "open") this.closeReason = reason;
    this.socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const head = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
    this.lastActivityAtMs = this.#host.now();
    const speech = recogniseSpeech(head);
    if (speech === undefined) {
      this.#head = head;
      this.partialSinceMs ||= this.lastActivityAtMs;
      return;
    }
    this.#recognised(this, speech, head);
  };

  /** Leaves the socket to the connection that goes on with it and listens already: so no event is ever without one. */
  leave(): void {
    this.socket.off("data", this.#onData);
    this.socket.off("error", ignoreError);
    this.socket.off("end", this.#onEnd);
    this.socket.off("close", this.#onClose);
  }

  readonly #onEnd = (): void => this.end("peer");

  readonly #onClose = (): void => {
    this.state = "closed";
    this.#host.closed(this);
  };
}
