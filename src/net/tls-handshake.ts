/** A connection whose TLS handshake is under way. */
import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import type { Arrival } from "./arrival.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { CloseReason, ConnectionState } from "./connection-state.ts";
import type { Intake } from "./intake.ts";
import type { LiveConnection } from "./live-connection.ts";
import { ignoreError } from "./socket-ending.ts";
import { certificateHeaders } from "./tls-certificate.ts";

export class TlsHandshake implements LiveConnection {
  readonly kind = "tls-handshake";
  readonly inFlight = 0;
  readonly bytesWrittenLately = 0;
  readonly unreadBytes = 0;
  readonly heldBytes = 0;
  readonly wasSilent = false;
  /** `tlsHandshakeTimeout` is what ends one that takes too long. */
  readonly partialSinceMs = 0;
  readonly lastActivityAtMs: number;
  readonly socket: Socket;
  state: ConnectionState = "open";
  closeReason: CloseReason = "peer";
  readonly #arrival: Arrival;
  readonly #host: ConnectionHost;
  readonly #secured: (socket: TLSSocket, arrival: Arrival) => void;

  constructor(
    { socket, arrival }: Intake,
    host: ConnectionHost,
    secured: (socket: TLSSocket, arrival: Arrival) => void,
  ) {
    this.socket = socket;
    this.#arrival = arrival;
    this.#host = host;
    this.#secured = secured;
    this.lastActivityAtMs = host.now();
    socket.on("close", this.#onClose);
    socket.on("error", ignoreError);
  }

  get peer(): string {
    return this.#arrival.peer.text;
  }

  get activity(): ConnectionActivity {
    const { lastActivityAtMs } = this;
    return { lastActivityAtMs, partialFrame: true, undispatched: 0, inFlight: 0, unwrittenBytes: 0 };
  }

  stopDispatching(): void {}

  refuseAndEnd(): void {
    this.destroy("drain");
  }

  end(reason: CloseReason): void {
    this.destroy(reason);
  }

  destroy(reason: CloseReason): void {
    if (this.state !== "open") return;
    this.state = "ending";
    this.closeReason = reason;
    this.socket.destroy();
  }

  /** The handshake is complete: from now on the connection is that of `socket`. */
  succeed(socket: TLSSocket, certificate: PeerCertificate | undefined): void {
    // Given up in the same moment: it ends, as if it had never succeeded.
    if (this.state !== "open") return;
    this.socket.off("close", this.#onClose);
    const headers = certificate === undefined ? undefined : certificateHeaders(certificate);
    this.#secured(socket, { ...this.#arrival, secure: true, headers });
  }

  /** The handshake failed; the socket is being destroyed. */
  fail(error: NodeJS.ErrnoException): void {
    if (this.state !== "open") return;
    this.state = "ending";
    if (error.code === "ECONNRESET" || error.code === "EPIPE") return;
    if (error.code === "ERR_TLS_HANDSHAKE_TIMEOUT") this.closeReason = "timeout";
    else {
      this.closeReason = "malformed";
      this.#host.malformed(this, { kind: "tls-handshake", message: error.message });
    }
  }

  readonly #onClose = (): void => {
    this.state = "closed";
    this.#host.closed(this);
  };
}
