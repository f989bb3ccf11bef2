/** What must hold in every drain report. */
import assert from "node:assert/strict";
import type { LogLine } from "./server-process.ts";

/** The outcomes of a call, as the report counts them. */
export const outcomes: readonly string[] = [
  "completed",
  "failed",
  "rejected",
  "expired",
  "orphaned",
  "oneway",
  "cut",
];

/**
 * Asserts that a line is the last one of a server's log and that every call received has exactly one outcome.
 *
 * @param left how many calls may be left without one; more than 0 only after a forced end
 */
export function assertExact(last: LogLine, left = 0): void {
  assert.equal(last["msg"], "stopped", `the last line is the report: ${JSON.stringify(last)}`);
  const counted = outcomes.map((outcome) => last[outcome] as number);
  const told = JSON.stringify(Object.fromEntries(outcomes.map((outcome, at) => [outcome, counted[at]])));
  assert.equal(last["owed"], left, `calls without an outcome: ${told}`);
  assert.equal(
    last["received"],
    counted.reduce((sum, count) => sum + count, left),
    told,
  );
}
