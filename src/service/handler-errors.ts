/** Whether a handler can serve, and what is wrong with it. */
import { inspect } from "node:util";
import { nearest } from "../config/nearest.ts";
import type { GeneratedMethod } from "./generated.ts";

/**
 * Checks what a handler factory returned.
 *
 * @param methods all that the service has
 * @throws {NoHandlerError} when it is no object, {@link MissingMethodsError} when it lacks some of them
 */
export function checkHandler(
  service: string,
  methods: readonly string[],
  handler: unknown,
): asserts handler is object {
  if (handler === null || (typeof handler !== "object" && typeof handler !== "function"))
    throw new NoHandlerError(service, handler);
  const has = handler as Readonly<Record<string, unknown>>;
  if (methods.some((name) => typeof has[name] !== "function"))
    throw new MissingMethodsError(service, methods, handler);
}

/**
 * The methods of a handler that declare more parameters than they will be given: those of callback style, most likely.
 *
 * @returns each with both counts
 */
export function withSurplusParameters(methods: readonly GeneratedMethod[], handler: object): string[] {
  const has = handler as Readonly<Record<string, { readonly length: number }>>;
  return methods.flatMap(({ name, parameters }) => {
    const declared = has[name]!.length;
    return parameters === undefined || declared <= parameters
      ? []
      : [`${name} declares ${declared}, the IDL gives ${parameters}`];
  });
}

/** What the factory returned is nothing that has methods. */
export class NoHandlerError extends Error {
  readonly code = "SLUICE_NO_HANDLER";
  override readonly name = "NoHandlerError";

  constructor(service: string, returned: unknown) {
    super(
      `the handler factory of service ${service} returned ${inspect(returned, { depth: 0 }).slice(0, 60)}; it must ` +
        `return the object with the methods: handler: () => ({ … })`,
    );
  }
}

/** The handler does not have all methods of its service, or not as functions. */
export class MissingMethodsError extends Error {
  readonly code = "SLUICE_MISSING_METHOD";
  override readonly name = "MissingMethodsError";

  /** @param methods all that the service has */
  constructor(service: string, methods: readonly string[], handler: object) {
    const has = handler as Readonly<Record<string, unknown>>;
    const missing = methods.filter((name) => has[name] === undefined);
    const wrong = methods.filter((name) => has[name] !== undefined && typeof has[name] !== "function");
    const lacks = `lacks ${missing.length === 1 ? "the method" : "the methods"} ${missing.join(", ")}`;
    const faults = [
      ...(missing.length > 0 ? [lacks] : []),
      ...wrong.map((name) => `has ${name} as ${kindOf(has[name])}, not a function`),
    ];
    super(
      `the handler of service ${service} ${faults.join(", and ")}: ` +
        `the object that its factory returns must have every method of the IDL${misspelt(missing, methods, handler)}`,
    );
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** What else the handler has that may be the methods which are missing. */
function misspelt(missing: readonly string[], methods: readonly string[], handler: object): string {
  const names = new Set<string>();
  for (
    let at: object | null = handler;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  for (const name of ["constructor", ...methods]) names.delete(name);
  const pairs = missing.flatMap((name) => {
    const near = nearest(name, names);
    return near === undefined ? [] : [`${near}, did you mean ${name}?`];
  });
  return pairs.length === 0 ? "" : `; it has ${pairs.join(" and ")}`;
}
