/** What a worker's thread uses, measured only when somebody looks, and at most once a second. */
import type { EventLoopUtilization } from "node:perf_hooks";
import type { Worker } from "node:worker_threads";

/** What is known of it. Both are absent until there is a measurement. */
export interface Usage {
  /** The share of time that its event loop was busy lately, 0 to 1. */
  readonly utilisation?: number;
  /** What its heap and buffers take. */
  readonly memoryBytes?: number;
}

const shortestSpanMs = 900;

export class WorkerUsage {
  #last: { readonly atMs: number; readonly loop: EventLoopUtilization } | undefined;
  #usage: Usage = {};
  /** A thread in native code does not answer: it is asked again only when it has. */
  #asked = false;

  /** @param thread undefined when there is none yet, or no more */
  read(thread: Worker | undefined, nowMs: number): Usage {
    if (thread === undefined) return {};
    if (this.#last !== undefined && nowMs - this.#last.atMs < shortestSpanMs) return this.#usage;
    const loop = thread.performance.eventLoopUtilization();
    if (this.#last !== undefined) {
      const { utilization } = thread.performance.eventLoopUtilization(loop, this.#last.loop);
      this.#usage = { ...this.#usage, utilisation: utilization };
    }
    this.#last = { atMs: nowMs, loop };
    void this.#askMemory(thread);
    return this.#usage;
  }

  async #askMemory(thread: Worker): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const { used_heap_size, external_memory } = await thread.getHeapStatistics();
      this.#usage = { ...this.#usage, memoryBytes: used_heap_size + external_memory };
      this.#asked = false;
    } catch {
      // The thread has left.
    }
  }
}
