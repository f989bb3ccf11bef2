/** Sends one call and waits for its answer. */
import { createConnection, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Answer, CallCodec } from "./call-codec.ts";
import { type CallTarget, closedError, connectionError, lateError } from "./call-target.ts";
import { type SocketTransport, socketTransports } from "./call-transport.ts";

/**
 * Makes the call on a connection of its own.
 *
 * @returns the answer; undefined for a oneway call, once the server has read it
 * @throws {CallError} when there is no server, or no answer within the time
 */
export async function callOnce(codec: CallCodec, target: CallTarget): Promise<Answer | undefined> {
  const { transport } = target;
  if (transport !== "http" && transport !== "websocket") {
    return callOverSocket(codec, target, socketTransports[transport]);
  }
  // Loaded here: most calls need neither.
  const { callByHttp, callByWebSocket } = await import("./call-http.ts");
  return transport === "http" ? callByHttp(codec, target) : callByWebSocket(codec, target);
}

/** Opens the connection. */
function open({ connect, tls }: CallTarget): Socket {
  return tls === undefined
    ? createConnection({ ...connect, noDelay: true })
    : connectTls({ ...(connect as ConnectionOptions), ...tls });
}

function callOverSocket(
  codec: CallCodec,
  target: CallTarget,
  transport: SocketTransport,
): Promise<Answer | undefined> {
  const { timeoutMs, tls } = target;
  return new Promise((resolve, reject) => {
    const socket = open(target);
    let connected = false;
    let received: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => end(() => reject(lateError(target, connected))), timeoutMs);

    function end(settle: () => void): void {
      clearTimeout(timer);
      socket.destroy();
      settle();
    }

    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const answer = answerIn(codec, transport, received);
      if (answer !== "incomplete") end(() => resolve(answer));
    });
    socket.on(tls === undefined ? "connect" : "secureConnect", () => {
      connected = true;
      const bytes = transport.wrap(codec.request, codec.protocol);
      // Half-closing behind a oneway and waiting for the server's end shows that the server has read it.
      if (codec.oneway) socket.end(bytes);
      else socket.write(bytes);
    });
    socket.on("end", () => {
      if (codec.oneway) end(() => resolve(undefined));
      else end(() => reject(closedError(target, connected)));
    });
    socket.on("error", (error) => end(() => reject(connectionError(error, target, connected))));
  });
}

/** What answers of HTTP begin with. */
const httpMark = "HTTP/1.";

function answerIn(codec: CallCodec, transport: SocketTransport, received: Buffer): Answer | "incomplete" {
  if (received.toString("latin1", 0, httpMark.length) === httpMark) {
    return { kind: "unreadable", cause: "that looks like HTTP: is it the admin port?" };
  }
  try {
    const message = transport.cut(received);
    if (message === undefined) return "incomplete";
    const answer = codec.read(message);
    // A frame that is whole has no more to come.
    const whole = transport !== socketTransports.unframed;
    return answer === "incomplete" && whole ? { kind: "unreadable", cause: "it ends too early" } : answer;
  } catch (cause) {
    return { kind: "unreadable", cause };
  }
}
