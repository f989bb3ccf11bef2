/**
 * Where HTTP comes in. Node's own server parses and writes it on sockets that are handed to it; it
 * listens nowhere. Time limits are kept by `Connections`, for all connections alike.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HttpConnection } from "./http-connection.ts";
import { isForeignOrigin } from "./http-origin.ts";
import type { Intake } from "./intake.ts";
import type { Registry } from "./reception.ts";
import { WebSocketDoor } from "./websocket-door.ts";

/** The largest head of a request: its line and headers. */
const maxHeadBytes = 16 * 1024;

/** The server as it is known inside of Node: a client may send FIN behind its request and wait for the reply. */
type HalfOpenServer = Server & { httpAllowHalfOpen: boolean };

export class HttpDoor {
  readonly #host: Registry;
  readonly #origins: readonly string[];
  readonly #server: Server;
  readonly #connections = new WeakMap<Duplex, HttpConnection>();
  #webSockets: WebSocketDoor | undefined;

  constructor(host: Registry, origins: readonly string[]) {
    this.#host = host;
    this.#origins = origins;
    this.#server = createServer({
      maxHeaderSize: maxHeadBytes,
      // Thrift's simple clients are served too.
      requireHostHeader: false,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      // Others (h2c, as Java's client offers it) are ignored: the request is an ordinary one.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    });
    (this.#server as HalfOpenServer).httpAllowHalfOpen = true;
    this.#server.on("request", (request, response) =>
      this.#of(request.socket)?.request(request, response, false),
    );
    this.#server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) =>
      this.#of(request.socket)?.request(request, response, true),
    );
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) =>
      this.#of(socket)?.failed(error),
    );
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on("connect", (_request, socket: Duplex) =>
      this.#of(socket)?.refuseRaw("405 Method Not Allowed"),
    );
  }

  /** Takes a connection over. What was read of it already is still to come. */
  enter({ socket, arrival }: Intake, replace: (next: HttpConnection) => void): void {
    const connection = new HttpConnection(socket, arrival, this.#host, this.#origins);
    this.#connections.set(socket, connection);
    replace(connection);
    this.#server.emit("connection", socket);
    connection.listen();
  }

  #of(socket: Duplex): HttpConnection | undefined {
    return this.#connections.get(socket);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = this.#of(socket);
    if (connection === undefined || connection.state !== "open") return;
    if (connection.isBusy) connection.refuseRaw("400 Bad Request");
    else if (isForeignOrigin(request.headers, this.#origins)) connection.refuseRaw("403 Forbidden");
    else {
      this.#webSockets ??= new WebSocketDoor(this.#host);
      if (!this.#webSockets.enter(connection, request, head)) connection.refuseRaw("400 Bad Request");
    }
  }
}
