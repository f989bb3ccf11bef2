/** Checks of what `createClient` is given, with errors that name the option and what it may be. */
import { type ConnectionOptions, createSecureContext } from "node:tls";
import { nearest } from "../config/nearest.ts";
import { ClientOptionError, messageOf } from "./errors.ts";

/** @throws {ClientOptionError} when it is no number from `low` to `high` */
export function number(
  name: string,
  given: number | undefined,
  fallback: number,
  low: number,
  high: number,
): number {
  const value = given ?? fallback;
  if (typeof value === "number" && value >= low && value <= high) return value;
  throw new ClientOptionError(`createClient: "${name}" must be from ${low} to ${high}; got ${shown(value)}`);
}

/** @throws {ClientOptionError} when it is none of them */
export function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new ClientOptionError(
    `createClient: "${name}" must be one of ${allowed.join(", ")}; got ${shown(value)}`,
  );
}

/**
 * @param what how the object is called: the option that holds it, "" for the options themselves
 * @throws {ClientOptionError} when it is no object, or has a field that is none of `known`
 */
export function onlyFields(what: string, given: unknown, known: readonly string[]): void {
  const owner = what === "" ? "the options" : `"${what}"`;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ClientOptionError(`createClient: ${owner} must be an object; got ${shown(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    const advice = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
    const full = what === "" ? name : `${what}.${name}`;
    throw new ClientOptionError(`createClient: "${full}": no such option; ${advice}`);
  }
}

/** @throws {ClientOptionError} when Node can't make a TLS connection with these options */
export function checkTls(tls: ConnectionOptions | true | undefined): void {
  if (tls === undefined || tls === true) return;
  if (typeof tls !== "object" || tls === null) {
    throw new ClientOptionError(
      `createClient: "tls" must be true or Node's options; got ${shown(tls)}; leave it out for no TLS`,
    );
  }
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new ClientOptionError(`createClient: "tls": ${messageOf(cause)}`, { cause });
  }
}

/** @throws {ClientOptionError} when it is no path that can be posted to */
export function checkPath(path: string): void {
  if (typeof path === "string" && /^\/[\x21-\x7e]*$/.test(path)) return;
  throw new ClientOptionError(
    `createClient: "httpPath" must begin with a slash and have no blanks; got ${shown(path)}; see encodeURI`,
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
