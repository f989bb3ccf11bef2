/** The server's side of TLS: its certificate, its demands on clients, and new files without losing a connection. */
import type { Duplex } from "node:stream";
import { createSecureContext, createServer, type SecureVersion, type Server, type TLSSocket } from "node:tls";
import type { TlsHandshake } from "./tls-handshake.ts";

/** What the files hold. */
export interface TlsMaterial {
  /** The certificate and its chain, as PEM. */
  readonly cert: Buffer;
  /** The private key, as PEM. Shown nowhere. */
  readonly key: Buffer;
  /** Whose client certificates are accepted; without it, clients need none. */
  readonly ca?: Buffer;
}

export interface TlsEndpointOptions {
  /** Reads the files. @throws when one can't be read */
  readonly load: () => TlsMaterial;
  readonly minVersion: SecureVersion;
  readonly handshakeTimeoutMs: number;
}

export class TlsEndpoint {
  readonly #options: TlsEndpointOptions;
  readonly #server: Server;
  readonly #asksForCertificates: boolean;
  readonly #handshakes = new WeakMap<Duplex, TlsHandshake>();

  /** @throws what `load` throws, and when the files are no certificate and its key */
  constructor(options: TlsEndpointOptions) {
    this.#options = options;
    const { material, context } = this.#load();
    this.#asksForCertificates = material.ca !== undefined;
    this.#server = createServer({
      ...context,
      requestCert: this.#asksForCertificates,
      rejectUnauthorized: this.#asksForCertificates,
      handshakeTimeout: options.handshakeTimeoutMs,
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => {
      this.#of(socket)?.fail(error);
      socket.destroy();
    });
  }

  /** Begins the handshake on the connection's socket. */
  accept(handshake: TlsHandshake): void {
    const { socket } = handshake;
    this.#handshakes.set(socket, handshake);
    // A peer that sends FIN before the handshake is complete has given up; later it may only be done with sending.
    socket.allowHalfOpen = false;
    this.#server.emit("connection", socket);
  }

  /**
   * Reads the files again: they hold for handshakes from now on.
   *
   * @throws as the constructor; then everything stays as it was
   */
  reload(): void {
    const { material, context } = this.#load();
    if ((material.ca !== undefined) !== this.#asksForCertificates) {
      throw new Error("whether clients need certificates can't be changed by a reload");
    }
    this.#server.setSecureContext(context);
  }

  #load(): { material: TlsMaterial; context: TlsMaterial & { minVersion: SecureVersion } } {
    const material = this.#options.load();
    const context = { ...material, minVersion: this.#options.minVersion };
    // Tried out first: a server that was given half of a broken one would be of no use.
    createSecureContext(context);
    return { material, context };
  }

  #secured(socket: TLSSocket): void {
    socket.allowHalfOpen = true;
    const certificate = this.#asksForCertificates ? socket.getPeerCertificate() : undefined;
    this.#of(socket)?.succeed(socket, certificate);
  }

  #of(socket: TLSSocket): TlsHandshake | undefined {
    // The socket under it: Node has no public name for that, and this one since it has TLS.
    const { _parent: under } = socket as unknown as { _parent: Duplex | undefined };
    return under === undefined ? undefined : this.#handshakes.get(under);
  }
}
