/** What a server's exception says about its call: see docs/clients.md for the words. */
import type { Answer } from "./call-codec.ts";

/** An answer that ends the call, or one that says that it was not run, or not known to be. */
export type Verdict = "final" | "not-started" | "unknown";

/** As Sluice's servers end such a refusal. Errors of handlers, which may well contain these words, say nothing of it. */
const notStarted = /; (?:not|it was never) started(?:, call another one)?$/;
const unknownWhether = /unknown whether/;
const leaving = /draining/;
/** Thrift's numbers for errors inside the server. */
const unknownError = 0;
const internalError = 6;

/**
 * Judges an answer.
 *
 * @param safe whether the reply says `sluice-retry: safe`
 */
export function judge(answer: Answer, safe: boolean): Verdict {
  if (answer.kind !== "application" || answer.cause !== undefined) return "final";
  if (safe || notStarted.test(answer.message)) return isMistake(answer.type) ? "final" : "not-started";
  return answer.type === internalError && unknownWhether.test(answer.message) ? "unknown" : "final";
}

/** Whether a refusal says that the server is about to stop. */
export function saysLeaving(answer: Answer): boolean {
  return answer.kind === "application" && notStarted.test(answer.message) && leaving.test(answer.message);
}

/** Unknown methods and bad arguments are refused before they start too, by every server alike. */
function isMistake(type: number): boolean {
  return type !== unknownError && type !== internalError;
}
