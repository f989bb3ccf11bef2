/** Checks of what one call is given, beside the values of its arguments. */
import { nearest } from "../config/nearest.ts";
import type { CallOptions } from "./client-types.ts";
import { ArgumentsError } from "./errors.ts";
import type { ClientMethod } from "./method-table.ts";

const optionNames: readonly string[] = Object.keys({
  timeoutMs: 0,
  signal: 0,
  headers: 0,
} satisfies Record<keyof CallOptions, 0>);

/**
 * @param args its arguments, and behind them perhaps its options
 * @throws {ArgumentsError} when there are too few or too many arguments, or an option does not exist
 */
export function checkCall(
  { name, arity }: ClientMethod,
  args: readonly unknown[],
  options: CallOptions | undefined,
): void {
  if (args.length < arity || args.length > arity + 1) {
    const count = arity === 1 ? "1 argument" : `${arity} arguments`;
    throw mistake(name, `it takes ${count}, then options; ${args.length} were given`);
  }
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) {
    throw mistake(
      name,
      `its options must be an object with ${optionNames.join(", ")}; got ${typeof options}`,
    );
  }
  for (const given of Object.keys(options)) {
    if (optionNames.includes(given)) continue;
    const meant = nearest(given, optionNames);
    const advice = meant === undefined ? `there are ${optionNames.join(", ")}` : `did you mean ${meant}?`;
    throw mistake(name, `a call has no option ${JSON.stringify(given)}; ${advice}`);
  }
}

function mistake(method: string, what: string): ArgumentsError {
  return new ArgumentsError(what, method, { endpoint: undefined, attempts: 0 });
}
