/**
 * A reporter for Node's test runner: adds a line `N passed, N failed, N skipped` to the file that TEST_COUNTS names, at
 * the end of each run, for a machine to read.
 */
import { appendFileSync } from "node:fs";
import type { TestEvent } from "node:test/reporters";

// biome-ignore lint/correctness/useYield: a reporter is a generator; this one prints nothing
export default async function* testCounts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // Each file has a summary of its own; the one of all has no file.
    if (event.type !== "test:summary" || event.data.file !== undefined) continue;
    const { tests, passed, skipped, todo } = event.data.counts;
    // Whatever neither passed nor was left out on purpose counts: failed, and cancelled.
    const failed = tests - passed - skipped - todo;
    const line = `${passed} passed, ${failed} failed, ${skipped + todo} skipped\n`;
    appendFileSync(process.env["TEST_COUNTS"] ?? "/dev/stdout", line);
  }
}
