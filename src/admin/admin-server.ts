/** The admin port: HTTP for probes, scrapers and operators, served by the main thread whatever the workers do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AdminConnections } from "./admin-connections.ts";
import { createEndpoints } from "./endpoints.ts";
import { type GuardPolicy, isLoopbackAddress } from "./guard.ts";
import { createMetrics } from "./metrics.ts";
import { answer, type RequestContext } from "./request-handler.ts";
import type { AdminSource } from "./source.ts";
import type { Controls } from "./status.ts";
import { Viewers } from "./viewers.ts";

/** How the admin port is opened. */
export interface AdminServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** A descriptor to listen on instead. Default: none. */
  readonly fd?: number | undefined;
  /** What `POST` needs as a bearer token. Default: none, and then `POST` is refused beyond loopback. */
  readonly token?: string;
  /** Open connections at most; beyond it, the oldest idle one gives way. Default 100. */
  readonly maxConnections?: number;
  /** From a connection's beginning to the end of a request's head, in ms. Default 5000. */
  readonly headTimeoutMs?: number;
  /** From a connection's beginning to the end of a request's body, in ms. Default 10000. */
  readonly requestTimeoutMs?: number;
  /** Between two requests, or without progress of an answer, in ms. Default 15000. */
  readonly idleTimeoutMs?: number;
  /** Between two events of `/events`, in ms. Default 1000. */
  readonly eventIntervalMs?: number;
  /** Viewers of `/events` at most. Default 64. */
  readonly maxViewers?: number;
}

/** An open admin port. */
export interface AdminServer {
  /** The address that it is bound to. */
  readonly host: string;
  readonly port: number;
  /** Something happened that viewers should see at once. Costs nothing when there are none. */
  announce(): void;
  /** What listens. Handed to a successor as it is; nobody else needs it. */
  readonly listener: Server;
  /** Stops listening, for another process listens on the same socket; what is open is answered once more. */
  stopListening(): void;
  /**
   * Closes: tells viewers how it ended, stops listening, drops connections that owe nothing, finishes answers for at most `withinMs`, and drops the
   * rest. Resolves in any case; calling it again changes nothing but may shorten the time.
   */
  close(withinMs: number): Promise<void>;
}

/** The admin port could not be opened. */
export class AdminListenError extends Error {
  override readonly name = "AdminListenError";
  readonly code = "SLUICE_ADMIN_LISTEN";

  constructor(host: string, port: number, cause: Error) {
    const why: Record<string, string> = {
      EADDRINUSE:
        "it is in use; stop what uses it, or choose another with --admin-port or SLUICE_ADMIN_PORT (0 picks a free one)",
      EACCES: "permission denied; ports below 1024 need rights, choose another with --admin-port",
      EADDRNOTAVAIL: "this machine has no such address; choose another with --admin-host",
      ENOTFOUND: "this host name can't be resolved; choose another with --admin-host",
    };
    const at = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const text = why[(cause as NodeJS.ErrnoException).code ?? ""] ?? cause.message;
    super(`can't listen on ${at} for the admin port: ${text}`, { cause });
  }
}

const MAX_HEAD_BYTES = 8192;

/**
 * Opens the admin port. To be called before the first worker starts.
 *
 * @throws AdminListenError when the address can't be had
 */
export async function createAdminServer(
  source: AdminSource,
  options: AdminServerOptions,
): Promise<AdminServer> {
  const connections = new AdminConnections(options.maxConnections ?? 100);
  const server = createHttpServer(options);
  server.on("connection", (socket) => connections.add(socket));
  const address = await listen(server, options);
  const metrics = createMetrics(source);
  const policy = policyOf(options, address);
  const viewers = new Viewers(source, {
    intervalMs: options.eventIntervalMs ?? 1_000,
    max: options.maxViewers ?? 64,
    controls: controlsOf(policy),
  });
  const context: Omit<RequestContext, "onWhole"> = {
    endpoints: createEndpoints(source, metrics, viewers),
    policy,
    log: source.log,
    closing: () => connections.closing,
  };
  const answering = new WeakSet<object>();
  server.on("error", (err) => source.log("error", "the admin port has an error", { err }));
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // One request after the other: a pipelined thousand would hold the main thread for seconds.
    if (answering.has(socket)) socket.destroy();
    if (socket.destroyed) return;
    answering.add(socket);
    response.once("close", () => {
      answering.delete(socket);
      connections.done(socket);
    });
    void answer(request, response, { ...context, onWhole: () => connections.begin(socket) });
  });
  return {
    host: address.address,
    port: address.port,
    announce: () => viewers.tick(),
    listener: server,
    ...createClose(server, connections, {
      begin: () => viewers.close(),
      end: () => metrics.stop(),
    }),
  };
}

function createHttpServer(options: AdminServerOptions): Server {
  const headersTimeout = options.headTimeoutMs ?? 5_000;
  const server = createServer({
    headersTimeout,
    requestTimeout: Math.max(headersTimeout, options.requestTimeoutMs ?? 10_000),
    keepAliveTimeout: options.idleTimeoutMs ?? 15_000,
    // Node looks at the two request timeouts this often.
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(headersTimeout / 4)),
    maxHeaderSize: MAX_HEAD_BYTES,
  });
  // Node's close() calls it, and takes a connection for idle whose answer has not reached the kernel yet.
  server.closeIdleConnections = () => {};
  server.timeout = options.idleTimeoutMs ?? 15_000;
  return server;
}

function listen(server: Server, { host, port, fd }: AdminServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(new AdminListenError(host, port, cause));
    server.once("error", onError);
    server.listen(fd === undefined ? { host, port } : { fd }, () => {
      server.off("error", onError);
      const address = server.address() as AddressInfo | string;
      if (typeof address === "object") resolve(address);
      else onError(new Error(`the inherited socket ${address} is no TCP socket`));
    });
  });
}

function policyOf(options: AdminServerOptions, bound: AddressInfo): GuardPolicy {
  return {
    loopback: isLoopbackAddress(bound.address),
    ownHosts: [options.host.toLowerCase(), bound.address],
    token: options.token,
  };
}

/** What the page needs to know: whether to offer its buttons, and whether to ask for the token. */
function controlsOf({ loopback, token }: GuardPolicy): Controls {
  if (token !== undefined) return "token";
  return loopback ? "open" : "off";
}

function createClose(
  server: Server,
  connections: AdminConnections,
  on: { readonly begin: () => void; readonly end: () => void },
): Pick<AdminServer, "close" | "stopListening"> {
  let closed: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      on.begin();
      server.close(() => {
        on.end();
        resolve();
      });
    });
    return closed;
  };
  return {
    stopListening() {
      void stop();
      connections.windDown();
    },
    async close(withinMs) {
      const ended = stop();
      connections.beginClosing();
      const timer = setTimeout(() => connections.dropAll(), Math.max(0, withinMs));
      await ended;
      clearTimeout(timer);
    },
  };
}
