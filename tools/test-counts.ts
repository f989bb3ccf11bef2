/** A reporter for Node's test runner: one line at the end, `N passed, N failed, N skipped`, for a machine to read. */
import type { TestEvent } from "node:test/reporters";

export default async function* testCounts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // Each file has a summary of its own; the one of all has no file.
    if (event.type !== "test:summary" || event.data.file !== undefined) continue;
    const { tests, passed, skipped, todo } = event.data.counts;
    // Whatever neither passed nor was left out on purpose counts: failed, and cancelled.
    const failed = tests - passed - skipped - todo;
    yield `${passed} passed, ${failed} failed, ${skipped + todo} skipped\n`;
  }
}
