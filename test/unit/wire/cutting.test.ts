import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Cut, encode, expected, forms, type Made, Stream, type Value } from "./cutting.ts";

const example: Made = {
  name: "Calc:add",
  seqid: -7,
  type: 1,
  body: [
    { i32: 5 },
    { text: "some text" },
    { list: [1, 2, 3] },
    { map: [["key", 1]] },
    { pairs: [[1, 2]] },
    { struct: [{ texts: ["a", ""] }, { struct: [] }] },
    { bool: true },
  ],
};
const other: Made = { name: "ping", seqid: 2 ** 31 - 1, type: 4, body: [] };

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ i32: fc.integer() }),
    fc.record({ i64: fc.integer() }),
    fc.record({ bool: fc.boolean() }),
    fc.record({ text: fc.string({ maxLength: 40 }) }),
    fc.record({ list: fc.array(fc.integer(), { maxLength: 20 }) }),
    fc.record({ texts: fc.array(fc.string({ maxLength: 5 }), { maxLength: 5 }) }),
    fc.record({ map: fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.integer()), { maxLength: 5 }) }),
    fc.record({ pairs: fc.array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer()), { maxLength: 5 }) }),
    fc.record({ struct: fc.array(tie("value"), { maxLength: 4 }) }),
  ),
})).value;
const message: fc.Arbitrary<Made> = fc.record({
  name: fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_:]{0,20}$/),
  seqid: fc.integer(),
  type: fc.constantFrom(1, 4),
  body: fc.array(value, { maxLength: 5 }),
});

function cutInPieces(bytes: Buffer, ends: readonly number[]): Cut[] {
  const stream = new Stream();
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > from) stream.read(bytes.subarray(from, end));
    from = Math.max(from, end);
  }
  assert.equal(stream.inbox.length, 0);
  return stream.cut;
}

for (const form of forms) {
  describe(`a stream of ${form} messages`, () => {
    it("gives the same messages at every split into two", () => {
      for (const messages of [[example], [other], [example, other, example]]) {
        const bytes = Buffer.concat(messages.map((made) => encode(made, form)));
        const whole = messages.map((made) => expected(made, form));
        for (let at = 0; at <= bytes.length; at++)
          assert.deepEqual(cutInPieces(bytes, [at]), whole, `split at ${at}`);
      }
    });

    it("gives the same messages byte by byte", () => {
      const bytes = Buffer.concat([example, other, example].map((made) => encode(made, form)));
      const every = Array.from(bytes.keys());
      assert.deepEqual(
        cutInPieces(bytes, every),
        [example, other, example].map((made) => expected(made, form)),
      );
    });

    it("gives the same messages for random messages in random pieces", () => {
      fc.assert(
        fc.property(
          fc.array(message, { minLength: 1, maxLength: 8 }),
          fc.array(fc.nat(), { maxLength: 20 }),
          (made, cuts) => {
            const bytes = Buffer.concat(made.map((each) => encode(each, form)));
            const ends = cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b);
            assert.deepEqual(
              cutInPieces(bytes, ends),
              made.map((each) => expected(each, form)),
            );
          },
        ),
        { numRuns: 150 },
      );
    });

    it("stops when no more is wanted and goes on where it stopped", () => {
      const made = Array.from({ length: 9 }, (_, seqid): Made => ({ ...example, seqid }));
      const bytes = Buffer.concat(made.map((each) => encode(each, form)));
      for (const at of [0, 1, 50, bytes.length - 1]) {
        const stream = new Stream();
        stream.wanted = 2;
        if (at > 0) stream.read(bytes.subarray(0, at));
        stream.read(bytes.subarray(at));
        for (let rounds = 0; rounds < 10 && stream.inbox.length > 0; rounds++) {
          assert.ok(stream.cut.length <= 2 * (rounds + 1));
          stream.wanted = 2;
          stream.work();
        }
        assert.deepEqual(
          stream.cut.map(({ seqid }) => seqid),
          [...made.keys()],
        );
      }
    });
  });
}
