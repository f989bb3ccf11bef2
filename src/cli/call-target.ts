/** Where a call goes, and what is said when it does not get there. */
import type { NetConnectOpts } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { TransportName } from "./call-transport.ts";

/** The call got no answer. */
export class CallError extends Error {
  readonly code = "SLUICE_CALL";
  override readonly name = "CallError";
}

/** Where the server is. */
export interface CallTarget {
  readonly connect: NetConnectOpts;
  readonly transport: TransportName;
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** For people. */
  readonly where: string;
  /** How long connecting and answering may take together, in ms. */
  readonly timeoutMs: number;
}

/** No answer, or not even a connection, within the time. */
export function lateError({ where, timeoutMs }: CallTarget, connected: boolean): CallError {
  const state = connected ? "no answer from" : "no connection to";
  return new CallError(`${state} ${where} within ${timeoutMs} ms${connected ? unknownEffect : ""}`);
}

/** What is to be said when the call may have been run. */
export const unknownEffect: string = "; whether the call took effect is unknown";

/** A server that wants TLS closes without a word. */
const wantsTls = "; if this server wants TLS, call with --tls";

const noTls = "before TLS was spoken: does this server speak TLS (--tls-cert)? Else call without --tls";

/** A connection that the server closed. @param connected whether anything may have been sent */
export function closedError({ where, tls }: CallTarget, connected: boolean): CallError {
  return new CallError(
    tls !== undefined && !connected
      ? `${where} closed the connection ${noTls}`
      : `${where} closed the connection before it answered${unknownEffect}${tls === undefined ? wantsTls : ""}`,
  );
}

/** A connection that failed. @param connected whether anything may have been sent */
export function connectionError(
  error: NodeJS.ErrnoException,
  { where, tls }: CallTarget,
  connected: boolean,
): CallError {
  if (connected) {
    return new CallError(
      `the connection to ${where} was lost (${error.code ?? error.message})${unknownEffect}${tls === undefined ? wantsTls : ""}`,
      {
        cause: error,
      },
    );
  }
  // What a server without TLS answers, or that it answers nothing.
  if (tls !== undefined && (error.code === "ECONNRESET" || error.code === "ERR_SSL_WRONG_VERSION_NUMBER")) {
    return new CallError(`${where} closed the connection ${noTls}`, { cause: error });
  }
  if (tls === undefined && error.code === "ECONNRESET") {
    return new CallError(`${where} closed the connection at once${wantsTls}`, { cause: error });
  }
  const hint =
    error.code === "ECONNREFUSED" || error.code === "ENOENT"
      ? "connection refused; is the server running there (--host, --port, --socket)?"
      : /certificate|self.signed/i.test(error.message)
        ? `${error.message}; trust it with --tls-ca FILE, or anything with --insecure`
        : error.message;
  return new CallError(`can't connect to ${where}: ${hint}`, { cause: error });
}
