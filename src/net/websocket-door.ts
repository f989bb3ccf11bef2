/** Where WebSockets come in: the upgrade of an HTTP connection. */
import type { IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { HttpConnection } from "./http-connection.ts";
import { headersOf } from "./http-headers.ts";
import { MessageHeaders } from "./message-headers.ts";
import type { Registry } from "./reception.ts";
import { noticeSubprotocol, WebSocketConnection } from "./websocket-connection.ts";

export class WebSocketDoor {
  readonly #host: Registry;
  readonly #server: WebSocketServer;

  constructor(host: Registry) {
    this.#host = host;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: host.limits.maxFrameSizeBytes,
      // Browsers close a socket whose server picks none of the protocols that they offered.
      handleProtocols: (offered) => (offered.has(noticeSubprotocol) ? noticeSubprotocol : [...offered][0]!),
    });
    // With a listener, ws leaves the answer to us.
    this.#server.on("wsClientError", () => {});
  }

  /** Upgrades a connection; false when the request is none for that. `head` was read behind the request. */
  enter(http: HttpConnection, request: IncomingMessage, head: Buffer): boolean {
    const { socket, arrival } = http;
    let upgraded = false;
    this.#server.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      upgraded = true;
      http.leave();
      const headers = new MessageHeaders({ ...headersOf(request), ...arrival.headers });
      const connection = new WebSocketConnection(socket, webSocket, arrival, headers, this.#host);
      this.#host.replace(http, connection, arrival);
    });
    return upgraded;
  }
}
