/** The matcher of examples/scanner finds what a search for each pattern finds, in time that grows with the bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

// Examples are checked with options of their own.
const path = new URL("../../examples/scanner/matcher.ts", import.meta.url).href;
const { createMatcher } = (await import(path)) as {
  createMatcher(patterns: readonly Uint8Array[]): (bytes: Uint8Array) => number[];
};

/** Of few byte values, so that patterns overlap, begin alike and are the ends of others. */
const few = (minLength: number, maxLength: number): fc.Arbitrary<Buffer> =>
  fc.array(fc.constantFrom(0, 97, 98, 255), { minLength, maxLength }).map((bytes) => Buffer.from(bytes));

test("the automaton finds the patterns that a search for each finds", () => {
  fc.assert(
    fc.property(fc.array(few(1, 5), { maxLength: 12 }), few(0, 60), (patterns, bytes) => {
      const expected = [...patterns.keys()].filter((at) => bytes.includes(patterns[at]!));
      assert.deepEqual(createMatcher(patterns)(bytes), expected);
    }),
    { numRuns: 2000 },
  );
});

test("patterns that are all ends of each other cost no more than others", () => {
  const nested = Array.from({ length: 180 }, (_, at) => Buffer.alloc(at + 1, "a"));
  const match = createMatcher(nested);
  const bytes = Buffer.alloc(4 * 1024 * 1024, "a");
  match(bytes.subarray(0, 65_536));
  const fromMs = performance.now();
  assert.equal(match(bytes).length, nested.length);
  assert.ok(performance.now() - fromMs < 1500, "it is linear");
});
