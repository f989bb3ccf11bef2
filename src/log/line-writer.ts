/**
 * Writes lines to a descriptor without ever waiting for its reader.
 *
 * A reader that stands still (a stopped pager, a full pipe of a log collector, Ctrl-S on a terminal) must not stop
 * the main thread. So lines wait in a bounded buffer; what exceeds it is dropped and counted, and a line says so
 * once there is room again.
 */
import { writeSync } from "node:fs";
import { openSink, type Sink } from "./sink.ts";

/** Where the lines of one descriptor go. */
export interface LineWriter {
  /**
   * Takes one line with its newline.
   *
   * @param keep take it even when the buffer is full
   */
  write(line: string, keep: boolean): void;
  /** Lines that were not taken, or not written because the reader is gone. */
  readonly dropped: number;
  /** @returns whether everything was handed to the kernel within `withinMs` */
  flush(withinMs: number): Promise<boolean>;
}

export interface LineWriterOptions {
  /** How many bytes may wait. Lines to keep may exceed it. */
  readonly maxBufferBytes: number;
  /** Makes the line that tells how many were dropped. */
  readonly describeDropped: (count: number) => string;
  /** Default: by the kind of descriptor. */
  readonly sink?: Sink;
}

/** Makes the writer of a descriptor. There should be one per descriptor, or lines may mix. */
export function createLineWriter(fd: number, options: LineWriterOptions): LineWriter {
  const { maxBufferBytes, describeDropped, sink = openSink(fd) } = options;
  /** Lines that wait for the sink; the sink has at most one batch. */
  let waiting: string[] = [];
  let waitingBytes = 0;
  let writingBytes = 0;
  let dropped = 0;
  let untoldDrops = 0;
  let state: "idle" | "scheduled" | "writing" | "broken" = "idle";
  const flushers = new Set<() => void>();

  function add(line: string, bytes: number): void {
    waiting.push(line);
    waitingBytes += bytes;
  }

  function tellDrops(): void {
    if (untoldDrops > 0) {
      const line = describeDropped(untoldDrops);
      untoldDrops = 0;
      add(line, Buffer.byteLength(line));
    }
  }

  function schedule(): void {
    if (state === "idle") {
      state = "scheduled";
      // One write per turn of the event loop, however many lines it makes.
      setImmediate(writeBatch);
    }
  }

  function writeBatch(): void {
    if (state !== "scheduled") {
      return;
    }
    const batch = waiting.join("");
    writingBytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    state = "writing";
    sink.write(batch, (error) => {
      writingBytes = 0;
      if (error !== undefined) {
        state = "broken";
        dropped += waiting.length;
        waiting = [];
        waitingBytes = 0;
      } else {
        state = "idle";
        tellDrops();
        if (waiting.length > 0) {
          schedule();
        }
      }
      settleFlushers();
    });
  }

  function isFlushed(): boolean {
    return state === "idle" || state === "broken";
  }

  function settleFlushers(): void {
    if (isFlushed()) {
      for (const settle of flushers) {
        settle();
      }
      flushers.clear();
    }
  }

  // Whoever calls process.exit() without a flush gets what the kernel takes at once. When a batch is on its way
  // already, writing more would mix the lines.
  process.once("exit", () => {
    if (state === "scheduled") {
      try {
        writeSync(fd, waiting.join(""));
      } catch {
        // A full pipe, or a reader that is gone: there is no more time for it.
      }
    }
  });

  return {
    write(line, keep) {
      const bytes = Buffer.byteLength(line);
      // Once a line is dropped, so are the next ones until a batch is written: a gap is told once, not per line.
      const full = untoldDrops > 0 || waitingBytes + writingBytes + bytes > maxBufferBytes;
      if (state === "broken" || (full && !keep)) {
        dropped++;
        untoldDrops++;
        return;
      }
      // Where lines are missing, the count stands between those before and those after.
      tellDrops();
      add(line, bytes);
      schedule();
    },
    get dropped() {
      return dropped;
    },
    flush(withinMs) {
      if (state === "scheduled") {
        writeBatch();
      }
      if (isFlushed()) {
        return Promise.resolve(state === "idle");
      }
      return new Promise((resolve) => {
        const settle = (): void => {
          clearTimeout(timer);
          resolve(state === "idle");
        };
        const timer = setTimeout(() => {
          flushers.delete(settle);
          resolve(false);
        }, withinMs);
        flushers.add(settle);
      });
    },
  };
}
