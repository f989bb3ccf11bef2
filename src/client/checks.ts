/** Checks of what `createClient` is given, with errors that name the option and what it may be. */
import { nearest } from "../config/nearest.ts";
import { ClientOptionError } from "./errors.ts";

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

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
