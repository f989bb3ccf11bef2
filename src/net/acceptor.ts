/** Listens, accepts, and stops listening without resetting connections that the kernel has accepted. */
import { chmodSync, existsSync } from "node:fs";
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { removeStaleSocket } from "./unix-socket.ts";

/** The address can't be listened on. The message says which and why. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code = "SLUICE_LISTEN";
}

/** Where to listen. */
export type ListenTarget =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** `mode`: the permissions of the socket's file. */
  | { readonly kind: "unix"; readonly path: string; readonly mode: number }
  | { readonly kind: "inherited"; readonly fd: number };

/** Event-loop turns without a new connection after which the accept queue counts as empty. */
const idleTurns = 3;
/** The longest that emptying it may take, in ms. */
const longestQuiesceMs = 1000;
const backlog = 4096;

export class Acceptor {
  /** What listens. Handed to a successor as it is; nobody else needs it. */
  readonly server: Server;
  /** Another process listens on the same socket: what waits in its queue is left to that one. */
  shared = false;
  #inheritedPath = "";
  #accepted = 0;
  #dropped = 0;

  /** @param refused called for every connection that comes when there are `maxConnections` */
  constructor(accept: (socket: Socket) => void, maxConnections: number, refused: () => void = () => {}) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
      this.#accepted++;
      accept(socket);
    });
    this.server.maxConnections = maxConnections;
    this.server.on("drop", () => {
      this.#dropped++;
      refused();
    });
  }

  /** Connections refused because there were `maxConnections`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Where it listens; the port is the real one. */
  get address(): { host: string; port: number } | { path: string } | undefined {
    const address = this.server.address();
    // Node.js does not know the path of a Unix domain socket that it did not bind itself.
    if (address === null && this.server.listening) return { path: this.#inheritedPath };
    if (typeof address === "string") return { path: address };
    return address === null ? undefined : { host: address.address, port: (address as AddressInfo).port };
  }

  /** @throws {ListenError} */
  async listen(target: ListenTarget): Promise<void> {
    if (target.kind === "unix") await clearPath(target.path);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.server.once("error", reject);
    this.shared = target.kind === "inherited";
    if (target.kind === "inherited") this.#inheritedPath = `descriptor ${target.fd}`;
    // For a descriptor Node.js takes the backlog from here only; without it an inherited queue would be cut short.
    this.server.listen(listenOptions(target), backlog, () => resolve());
    try {
      await promise;
    } catch (error) {
      throw listenError(target, error as NodeJS.ErrnoException);
    }
    this.server.removeListener("error", reject);
    if (target.kind === "unix") chmodSync(target.path, target.mode);
    // Out of descriptors: the kernel keeps the connection in its queue until there is one again.
    this.server.on("error", () => {});
  }

  /** Accepts what the kernel has accepted, then closes the listener. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    if (this.shared) {
      this.server.close();
      return;
    }
    const untilMs = performance.now() + longestQuiesceMs;
    for (let idle = 0; idle < idleTurns && performance.now() < untilMs; ) {
      const before = this.#accepted;
      await new Promise((resolve) => setImmediate(resolve));
      idle = this.#accepted === before ? idle + 1 : 0;
    }
    this.server.close();
  }
}

/** @throws {ListenError} when something is at the path that is not to be removed */
async function clearPath(path: string): Promise<void> {
  const found = await removeStaleSocket(path);
  if (found === undefined) return;
  const why =
    found === "alive"
      ? "it is in use by another process; stop it, or choose another path"
      : "something else than a socket is there; choose another path";
  throw new ListenError(`can't listen on ${path}: ${why}`);
}

function listenOptions(target: ListenTarget): ListenOptions & { fd?: number } {
  switch (target.kind) {
    case "tcp":
      return { host: target.host, port: target.port };
    case "unix":
      return { path: target.path };
    case "inherited":
      return { fd: target.fd };
  }
}

function listenError(target: ListenTarget, cause: NodeJS.ErrnoException): ListenError {
  const where =
    target.kind === "tcp"
      ? `${target.host}:${target.port}`
      : target.kind === "unix"
        ? target.path
        : `descriptor ${target.fd}`;
  const why: Record<string, string> = {
    EADDRINUSE:
      "it is in use; stop what uses it, or choose another with --port or SLUICE_PORT (0 picks a free one)",
    EACCES: "permission denied; ports below 1024 and foreign folders need rights",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "this host name can't be resolved",
  };
  // libuv says EACCES of a folder that is not there.
  const folder =
    target.kind === "unix" && !existsSync(dirname(target.path)) ? dirname(target.path) : undefined;
  const text =
    folder === undefined ? (why[cause.code ?? ""] ?? cause.message) : `there is no folder ${folder}`;
  return new ListenError(`can't listen on ${where}: ${text}`, { cause });
}
