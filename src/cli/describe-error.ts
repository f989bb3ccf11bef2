import { OptionError } from "../config/option-error.ts";
import { UsageError } from "./command.ts";
import { exitCodes } from "./exit.ts";

/** What the system and Node.js refuse, by their words, and what to do about it. */
const advices: readonly (readonly [RegExp, string])[] = [
  [
    /\bEMFILE\b/,
    ": the process may open no more files; raise its limit (ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of Docker)",
  ],
  [
    /\bEAGAIN\b/,
    ": the system gives no more threads; raise the limit (ulimit -u, TasksMax= of systemd, --pids-limit of Docker) or lower --workers",
  ],
  [
    /Stripping types is currently unsupported for files under node_modules/,
    ": copy the module's folder to where it is not under node_modules",
  ],
];

/** One line for errors with a code, which say what to do; the stack for those that nobody expected. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const advice = advices.find(([code]) => code.test(error.message))?.[1] ?? "";
  const expected = typeof (error as { readonly code?: unknown }).code === "string";
  return (expected ? error.message.replaceAll("\n", " ") : (error.stack ?? error.message)) + advice;
}

/** Whether the user must write the command differently, or something failed. */
export function exitCodeOfError(error: unknown): number {
  return error instanceof OptionError || error instanceof UsageError ? exitCodes.badOption : exitCodes.failed;
}
