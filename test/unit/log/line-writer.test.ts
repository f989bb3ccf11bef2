import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLineWriter, type LineWriter } from "../../../src/log/line-writer.ts";

/** A sink whose batches the test completes by hand. */
function heldSink() {
  const batches: string[] = [];
  let done: ((error?: Error) => void) | undefined;
  let began: (() => void) | undefined;
  return {
    batches,
    write(batch: string, whenDone: (error?: Error) => void): void {
      batches.push(batch);
      done = whenDone;
      began?.();
    },
    /** Resolves when the next batch is handed over. */
    nextBatch: (): Promise<void> => new Promise((resolve) => (began = resolve)),
    finish(error?: Error): void {
      const call = done;
      done = undefined;
      call?.(error);
    },
  };
}

function createHeld(maxBufferBytes: number): { writer: LineWriter; sink: ReturnType<typeof heldSink> } {
  const sink = heldSink();
  const describeDropped = (count: number): string => `dropped ${count}\n`;
  return { sink, writer: createLineWriter(-1, { maxBufferBytes, describeDropped, sink }) };
}

describe("a line writer", () => {
  test("hands all lines of one turn over in one batch, in order", async () => {
    const { writer, sink } = createHeld(100);
    const batch = sink.nextBatch();
    writer.write("a\n", false);
    writer.write("b\n", false);
    await batch;
    assert.deepEqual(sink.batches, ["a\nb\n"]);
  });

  test("drops and counts what exceeds the buffer, and says so where the lines are missing", async () => {
    const { writer, sink } = createHeld(16);
    const first = sink.nextBatch();
    writer.write("one\n", false);
    await first;
    writer.write("two is too long\n", false);
    writer.write("x\n", false);
    writer.write("three\n", false);
    assert.equal(writer.dropped, 3);
    const second = sink.nextBatch();
    sink.finish();
    await second;
    const third = sink.nextBatch();
    writer.write("four\n", false);
    sink.finish();
    await third;
    assert.deepEqual(sink.batches, ["one\n", "dropped 3\n", "four\n"]);
  });

  test("keeps lines of the contract even when the buffer is full", async () => {
    const { writer, sink } = createHeld(4);
    const first = sink.nextBatch();
    writer.write("one\n", false);
    await first;
    writer.write("stopped, with a long report\n", true);
    assert.equal(writer.dropped, 0);
    const second = sink.nextBatch();
    sink.finish();
    await second;
    assert.equal(sink.batches[1], "stopped, with a long report\n");
  });

  test("a flush resolves true when all is written, also what came while it waited", async () => {
    const { writer, sink } = createHeld(100);
    writer.write("a\n", false);
    const flushed = writer.flush(60_000);
    writer.write("b\n", false);
    const second = sink.nextBatch();
    sink.finish();
    await second;
    sink.finish();
    assert.equal(await flushed, true);
    assert.deepEqual(sink.batches, ["a\n", "b\n"]);
  });

  test("a flush resolves false when its time is over", async () => {
    const { writer } = createHeld(100);
    writer.write("a\n", false);
    assert.equal(await writer.flush(1), false);
  });

  test("a flush with nothing to write is done at once", async () => {
    assert.equal(await createHeld(100).writer.flush(0), true);
  });

  test("a reader that is gone costs lines, nothing else", async () => {
    const { writer, sink } = createHeld(100);
    writer.write("a\n", false);
    const flushed = writer.flush(60_000);
    writer.write("b\n", true);
    sink.finish(new Error("EPIPE"));
    assert.equal(await flushed, false);
    writer.write("c\n", true);
    assert.equal(writer.dropped, 2);
    assert.deepEqual(sink.batches, ["a\n"]);
  });
});
