/** Counts in memory. A clean stop writes what was counted to a file, behind the last call. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { defineService } from "thrift-sluice";
import Counter from "./gen/Counter.js";

const file = process.env["COUNTER_FILE"] ?? "counts.json";

class Counts {
  readonly #counts = new Map<string, number>(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []);

  add(name: string, hits: number): number {
    const count = (this.#counts.get(name) ?? 0) + hits;
    if (hits > 0) this.#counts.set(name, count);
    return count;
  }

  flush(): void {
    writeFileSync(`${file}.new`, JSON.stringify([...this.#counts]), { flush: true });
    renameSync(`${file}.new`, file);
  }
}

export default defineService({
  name: "Counter",
  service: Counter,
  resources: {
    // One for all workers, on a thread of its own.
    counts: { scope: "process", open: () => new Counts(), flush: (counts) => counts.flush() },
  },
  handler: ({ resources: { counts } }) => ({
    hit: (name) => counts.add(name, 1),
    count: (name) => counts.add(name, 0),
  }),
});
