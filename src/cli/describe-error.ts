import { OptionError } from "../config/option-error.ts";
import { UsageError } from "./command.ts";
import { exitCodes } from "./exit.ts";

/** One line for errors with a code, which say what to do; the stack for those that nobody expected. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const expected = typeof (error as { readonly code?: unknown }).code === "string";
  return expected ? error.message.replaceAll("\n", " ") : (error.stack ?? error.message);
}

/** Whether the user must write the command differently, or something failed. */
export function exitCodeOfError(error: unknown): number {
  return error instanceof OptionError || error instanceof UsageError ? exitCodes.badOption : exitCodes.failed;
}
