/**
 * Who may ask the admin port for what, decided from a request's head alone.
 *
 * The threats: a web page that the operator has open sends requests across origins, or binds its own name to the
 * port's address (DNS rebinding); and, when the port is bound to more than loopback, anybody on the network.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";

/** What the guard goes by. */
export interface GuardPolicy {
  /** Whether only this machine can connect: then Host must name it. */
  readonly loopback: boolean;
  /** Names and addresses besides the loopback ones that Host may have, lower case, IPv6 without brackets. */
  readonly ownHosts: readonly string[];
  /** What `POST` needs as `Authorization: Bearer …`. Without it, `POST` is refused beyond loopback. */
  readonly token: string | undefined;
}

/** A refusal: an HTTP status and a line of text that repeats nothing of the request. */
export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly message: string;
}

/** No web page can send it to another origin without a preflight, and preflights are never granted. */
export const ADMIN_HEADER = "x-sluice-admin";

/** Says why a request is refused, or undefined when it may pass. */
export function refusalOf(request: IncomingMessage, policy: GuardPolicy): Refusal | undefined {
  const { host, origin, [ADMIN_HEADER]: mark, authorization } = request.headers;
  // Of two Host headers Node keeps the first; a proxy in front may have gone by the other.
  if ((request.headersDistinct["host"]?.length ?? 0) > 1) {
    return { status: 400, message: "one Host header only" };
  }
  // Every browser sends Host; a health check over HTTP/1.0 does not.
  if (policy.loopback && host !== undefined && !isOwnHost(host, policy.ownHosts)) {
    return { status: 403, message: "this port answers to loopback names only: check the Host header" };
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return { status: 403, message: "requests of pages of another origin are refused" };
  }
  if (request.method !== "POST") return undefined;
  if (mark === undefined || mark === "") {
    return { status: 403, message: `POST needs the header ${ADMIN_HEADER} with any value` };
  }
  if (policy.token === undefined) {
    if (policy.loopback) return undefined;
    return { status: 403, message: "POST is off beyond loopback: set an admin token or bind to 127.0.0.1" };
  }
  if (authorization !== undefined && sameSecret(authorization, `Bearer ${policy.token}`)) return undefined;
  const message =
    authorization === undefined
      ? "POST needs the header authorization: Bearer with the admin token"
      : "the header authorization has another token than the admin token; it is to be: Bearer with the admin token";
  return { status: 401, message };
}

/** Whether an address that a server is bound to can be reached from this machine only. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}

/** Any port passes: a tunnel may lead here from another one, and rebinding is a matter of names. */
function isOwnHost(host: string, ownHosts: readonly string[]): boolean {
  const name = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase());
  const bare = name?.[1] ?? name?.[2];
  if (bare === undefined || bare === "") return false;
  return bare === "localhost" || isLoopbackAddress(bare) || ownHosts.includes(bare);
}

/** The scheme may differ (a proxy that ends TLS); host and port may not. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !/^https?:\/\//i.test(origin)) return false;
  return origin.slice(origin.indexOf("//") + 2).toLowerCase() === host.toLowerCase();
}

/** Compares hashes, so that neither content nor length can be told from the time it takes. */
function sameSecret(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}
