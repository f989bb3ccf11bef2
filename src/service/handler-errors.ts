/** What is wrong with a handler that can't serve. */
import { inspect } from "node:util";
import { nearest } from "../config/nearest.ts";

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

/** The handler does not have all methods of its service. */
export class MissingMethodsError extends Error {
  readonly code = "SLUICE_MISSING_METHOD";
  override readonly name = "MissingMethodsError";

  constructor(service: string, missing: readonly string[], handler: object) {
    super(
      `the handler of service ${service} lacks ${missing.length === 1 ? "the method" : "the methods"} ` +
        `${missing.join(", ")}: the object that its factory returns must have every method of the IDL` +
        misspelt(missing, handler),
    );
  }
}

/** Methods of the handler that may be those which are missing. */
function misspelt(missing: readonly string[], handler: object): string {
  const names = new Set<string>();
  for (
    let at: object | null = handler;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  const pairs = missing.flatMap((name) => {
    const near = nearest(name, names);
    return near === undefined || near === "constructor" ? [] : [`${near}, did you mean ${name}?`];
  });
  return pairs.length === 0 ? "" : `; it has ${pairs.join(" and ")}`;
}
