/** Sends one call and waits for its answer. */
import { createConnection, type NetConnectOpts } from "node:net";
import type { Answer, CallCodec } from "./call-codec.ts";

/** The call got no answer. */
export class CallError extends Error {
  readonly code = "SLUICE_CALL";
  override readonly name = "CallError";
}

/** Where the server is. */
export interface CallTarget {
  readonly connect: NetConnectOpts;
  /** For people. */
  readonly where: string;
  /** How long connecting and answering may take together, in ms. */
  readonly timeoutMs: number;
}

/**
 * Makes the call on a connection of its own.
 *
 * @returns the answer; undefined for a oneway call, once the server has read it
 * @throws {CallError} when there is no server, or no answer within the time
 */
export function callOnce(
  codec: CallCodec,
  { connect, where, timeoutMs }: CallTarget,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ ...connect, noDelay: true });
    let connected = false;
    const timer = setTimeout(() => {
      const state = connected ? "no answer from" : "no connection to";
      end(() =>
        reject(new CallError(`${state} ${where} within ${timeoutMs} ms${connected ? unknownEffect : ""}`)),
      );
    }, timeoutMs);

    function end(settle: () => void): void {
      clearTimeout(timer);
      socket.destroy();
      settle();
    }

    const receive = codec.createReceiver((answer) => end(() => resolve(answer)));
    socket.on("data", (bytes) => {
      try {
        receive(bytes);
      } catch (cause) {
        end(() => resolve({ kind: "unreadable", cause }));
      }
    });
    socket.on("connect", () => {
      connected = true;
      if (codec.oneway) {
        // Half-closing behind it and waiting for the server's end shows that the server has read it.
        socket.end(codec.request);
      } else {
        socket.write(codec.request);
      }
    });
    socket.on("end", () => {
      if (codec.oneway) {
        end(() => resolve(undefined));
      } else {
        end(() => reject(new CallError(`${where} closed the connection before it answered${unknownEffect}`)));
      }
    });
    socket.on("error", (error) => end(() => reject(connectionError(error, where, connected))));
  });
}

const unknownEffect = "; whether the call took effect is unknown";

function connectionError(error: NodeJS.ErrnoException, where: string, connected: boolean): CallError {
  if (connected) {
    return new CallError(
      `the connection to ${where} was lost (${error.code ?? error.message})${unknownEffect}`,
      {
        cause: error,
      },
    );
  }
  const hint =
    error.code === "ECONNREFUSED" || error.code === "ENOENT"
      ? "connection refused; is the server running there (--host, --port, --socket)?"
      : error.message;
  return new CallError(`can't connect to ${where}: ${hint}`, { cause: error });
}
