/** Where servers are: what callers write, and what sockets take. */
import { isIP } from "node:net";
import { ClientOptionError } from "./errors.ts";

/** One server: `"host:port"`, `"[::1]:9090"`, `"unix:/run/thrift.sock"`, or the same as an object. */
export type EndpointAddress =
  | string
  | { readonly host: string; readonly port: number; readonly servername?: string }
  | { readonly path: string };

/** A checked address. */
export interface Address {
  /** Says which it is, in errors, metrics and spans; equal for equal addresses. */
  readonly name: string;
  readonly connect: { readonly host: string; readonly port: number } | { readonly path: string };
  /** The name that a TLS certificate must have; undefined for addresses without a name. */
  readonly servername: string | undefined;
}

/** @throws {ClientOptionError} when it is no address */
export function parseAddress(given: EndpointAddress): Address {
  if (typeof given !== "string") {
    if (typeof given !== "object" || given === null) throw badAddress(given);
    return "path" in given ? pathAddress(given.path) : hostAddress(given.host, given.port, given.servername);
  }
  const path = /^(?:unix:)(.+)$/.exec(given)?.[1] ?? (given.startsWith("/") ? given : undefined);
  if (path !== undefined) return pathAddress(path);
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(given) ?? [];
  if (port === undefined) throw badAddress(given);
  return hostAddress(inBrackets ?? plain!, Number(port));
}

function pathAddress(path: string): Address {
  if (typeof path !== "string" || path === "") throw badAddress(path);
  return { name: `unix:${path}`, connect: { path }, servername: undefined };
}

function hostAddress(host: string, port: number, servername?: string): Address {
  if (typeof host !== "string" || host === "" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw badAddress(`${host}:${port}`);
  }
  const name = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { name, connect: { host, port }, servername: servername ?? (isIP(host) === 0 ? host : undefined) };
}

function badAddress(given: unknown): ClientOptionError {
  return new ClientOptionError(
    `createClient: ${JSON.stringify(given)} is no endpoint; write "host:port" or "unix:/path"`,
  );
}
