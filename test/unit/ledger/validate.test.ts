import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkCounter, checkEntry } from "../../../src/ledger/validate.ts";

const good = { id: "1", debit: "alice", credit: "bob", amount: 1n };

describe("an entry", () => {
  it("keeps exactly its fields", () => {
    assert.deepEqual(checkEntry({ ...good, extra: 1 } as typeof good), good);
    assert.deepEqual(checkEntry({ ...good, memo: "" }), { ...good, memo: "" });
    assert.deepEqual(checkEntry({ ...good, memo: null }), good);
  });

  const refused: [name: string, fields: object, message: RegExp][] = [
    ["an empty id", { id: "" }, /^id must not be empty/],
    ["a missing id", { id: null }, /^id must not be empty/],
    ["an empty debit", { debit: "" }, /^debit must not be empty/],
    ["a missing credit", { credit: undefined }, /^credit must not be empty/],
    ["equal accounts", { debit: "bob" }, /different accounts/],
    ["an amount of 0", { amount: 0n }, /amount must be greater than 0, got 0/],
    ["a missing amount", { amount: null }, /amount must be greater than 0/],
    ["a negative amount", { amount: -5n }, /greater than 0, got -5/],
    ["an amount beyond i64", { amount: 2n ** 63n }, /amount must be at most/],
    ["an id of 257 bytes", { id: "x".repeat(257) }, /^id must be at most 256 bytes/],
    [
      "an account of 258 bytes in 86 characters",
      { credit: "語".repeat(86) },
      /^credit must be at most 256 bytes/,
    ],
    ["a NUL", { id: "a\0b" }, /NUL/],
    ["a memo of 65537 bytes", { memo: "m".repeat(65_537) }, /^memo must be at most 65536 bytes/],
    ["a NUL in the memo", { memo: "\0" }, /^memo must not contain NUL/],
    ["a lone surrogate", { debit: "\ud800" }, /Unicode/],
  ];
  for (const [name, fields, message] of refused) {
    it(`with ${name} is refused by name`, () => {
      assert.throws(() => checkEntry({ ...good, ...fields }), { code: "LEDGER_INVALID_ENTRY", message });
    });
  }

  it("that is missing altogether is refused as empty", () => {
    assert.throws(() => checkEntry(null), { code: "LEDGER_INVALID_ENTRY", id: "" });
  });

  it("may have names of exactly 256 bytes", () => {
    assert.equal(checkEntry({ ...good, id: `${"語".repeat(85)}x` }).id.length, 86);
  });
});

describe("a counter", () => {
  it("has a name by the same rules", () => {
    assert.equal(checkCounter("hits"), "hits");
    assert.throws(() => checkCounter(null), { code: "LEDGER_INVALID_COUNTER" });
  });
});
