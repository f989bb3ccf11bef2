/**
 * Receives every accepted connection: its first bytes decide which part of the server it goes to. What
 * comes out of TLS is looked at in the same way again.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Arrival } from "./arrival.ts";
import { Connection } from "./connection.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { HttpDoor } from "./http-door.ts";
import { refuseHttp2 } from "./http2-refusal.ts";
import { Intake } from "./intake.ts";
import type { Speech } from "./intake-speech.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { TlsEndpoint } from "./tls-endpoint.ts";
import { TlsHandshake } from "./tls-handshake.ts";

/** Keeps the account of open connections. */
export interface Registry extends ConnectionHost {
  add(connection: LiveConnection, arrival: Arrival): void;
  /** One connection goes on as another: it was recognised, or upgraded. */
  replace(connection: LiveConnection, next: LiveConnection, arrival: Arrival): void;
}

export interface ReceptionOptions {
  /** Undefined when TLS is not configured. */
  readonly tls?: TlsEndpoint | undefined;
  /** Whether clients may speak without TLS where TLS is configured. */
  readonly plaintext: "allow" | "refuse";
  /** Web origins whose pages may call, besides the server's own; `*` for all. */
  readonly origins: readonly string[];
}

export class Reception {
  readonly #host: Registry;
  readonly #options: ReceptionOptions;
  #http: HttpDoor | undefined;

  constructor(host: Registry, options: ReceptionOptions) {
    this.#host = host;
    this.#options = options;
  }

  accept(socket: Socket, arrival: Arrival): void {
    this.#host.add(this.#intake(socket, arrival), arrival);
  }

  #intake(socket: Socket, arrival: Arrival): Intake {
    return new Intake(socket, arrival, this.#host, (intake, speech, head) =>
      this.#recognised(intake, speech, head),
    );
  }

  #recognised(intake: Intake, speech: Speech, head: Buffer): void {
    const { socket, arrival } = intake;
    if (speech === "tls" && !arrival.secure) {
      if (this.#options.tls === undefined) {
        this.#refuse(intake, "tls-not-configured", "a TLS handshake; give tlsCert and tlsKey to serve TLS");
      } else this.#shakeHands(this.#options.tls, intake, head);
      return;
    }
    if (!arrival.secure && this.#options.tls !== undefined && this.#options.plaintext === "refuse") {
      this.#refuse(intake, "plaintext", "no TLS handshake, and plaintext is set to refuse");
      return;
    }
    if (speech === "http2") {
      refuseHttp2(socket);
      this.#refuse(intake, "http2", "HTTP/2; only HTTP/1.1 is spoken here");
      return;
    }
    if (speech === "http") this.#enterHttp(intake, head);
    else this.#enterThrift(intake, head);
  }

  #enterThrift(intake: Intake, head: Buffer): void {
    const { socket, arrival } = intake;
    const { id, peer, headers } = arrival;
    const connection = new Connection(id, socket, peer, this.#host, headers);
    this.#host.replace(intake, connection, arrival);
    intake.leave();
    connection.begin(withRest(socket, head));
  }

  #enterHttp(intake: Intake, head: Buffer): void {
    this.#http ??= new HttpDoor(this.#host, this.#options.origins);
    this.#http.enter(intake, (connection) => this.#host.replace(intake, connection, intake.arrival));
    intake.leave();
    // Listeners are there, so this is read at once, before what the kernel still has.
    intake.socket.unshift(head);
  }

  #shakeHands(tls: TlsEndpoint, intake: Intake, head: Buffer): void {
    const handshake = new TlsHandshake(intake, this.#host, (secured, arrival) =>
      this.#secured(handshake, secured, arrival),
    );
    this.#host.replace(intake, handshake, intake.arrival);
    intake.leave();
    // TLS reads what is buffered in the socket before it reads from the kernel, if nobody else does.
    intake.socket.pause();
    intake.socket.unshift(head);
    tls.accept(handshake);
  }

  #secured(handshake: TlsHandshake, socket: TLSSocket, arrival: Arrival): void {
    this.#host.replace(handshake, this.#intake(socket, arrival), arrival);
  }

  #refuse(intake: Intake, kind: string, message: string): void {
    this.#host.malformed(intake, { kind, message });
    intake.refuse();
  }
}

/** `head` and what the socket has read behind it. */
function withRest(socket: Socket, head: Buffer): Buffer {
  const pieces = [head];
  while (socket.readableLength > 0) pieces.push(socket.read() as Buffer);
  return pieces.length === 1 ? head : Buffer.concat(pieces);
}
