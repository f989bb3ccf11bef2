import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Int64 from "node-int64";
import types from "../../../gen/ledger_types.js";
import { bigintOfI64 } from "../../../src/ledger/i64.ts";
import { openStore } from "../../../src/ledger/open-store.ts";
import service from "../../../src/ledger/service.ts";

/** The handler over a store in memory, in this thread. */
async function createHandler() {
  const store = await openStore("sqlite::memory:");
  const context = { resources: { store } } as unknown as Parameters<typeof service.handler>[0];
  const handler = await service.handler(context);
  return { handler, [Symbol.asyncDispose]: () => store.close() };
}

const entry = (id: string, amount: number | Int64 = 5, memo?: string) =>
  new types.Entry({
    id,
    debit: "alice",
    credit: "bob",
    amount: typeof amount === "number" ? new Int64(amount) : amount,
    ...(memo === undefined ? {} : { memo }),
  });

describe("the ledger service", () => {
  it("answers every method of the IDL", async () => {
    await using made = await createHandler();
    const { handler } = made;
    assert.equal(await handler.ping(), undefined);
    assert.deepEqual(await handler.post(entry("a", 5, "hello")), { seq: 1, duplicate: false });
    assert.deepEqual(await handler.postAll([entry("a", 5, "hello"), entry("b")]), [
      { seq: 1, duplicate: true },
      { seq: 2, duplicate: false },
    ]);
    assert.equal(await handler.balance("bob"), 10n);
    assert.deepEqual(
      (await handler.entries("bob", new Int64(0), 10)).map(({ id, memo }) => [id, memo]),
      [
        ["a", "hello"],
        ["b", undefined],
      ],
    );
    await handler.track("hits", new Int64(-3));
    assert.deepEqual(await handler.counters(), { hits: -3n });
    const { ok, entries, debits } = await handler.audit();
    assert.deepEqual([ok, entries, debits], [true, 2, 10n]);
  });

  it("throws the IDL's InvalidEntry, with the id at fault", async () => {
    await using made = await createHandler();
    const { handler } = made;
    const isInvalid = (id: string) => (error: unknown) =>
      error instanceof types.InvalidEntry && error.id === id && /amount/.test(error.message);
    await assert.rejects(async () => handler.post(entry("a", 0)), isInvalid("a"));
    await assert.rejects(async () => handler.postAll([entry("a"), entry("b", -1)]), isInvalid("b"));
    await assert.rejects(
      async () => handler.post(new types.Entry()),
      (error: unknown) => error instanceof types.InvalidEntry && /id must not be empty/.test(error.message),
    );
    await assert.rejects(
      async () => handler.post(null as unknown as types.Entry),
      (error: unknown) => error instanceof types.InvalidEntry,
    );
    assert.equal(await handler.balance("bob"), 0n);
  });

  it("reads an i64 exactly in every form", () => {
    const cases: [Int64 | number | bigint | null, bigint][] = [
      [new Int64("7fffffffffffffff"), 2n ** 63n - 1n],
      [new Int64("8000000000000000"), -(2n ** 63n)],
      [new Int64(-1), -1n],
      [new Int64(Buffer.from("00000000000000000123456789abcdef", "hex"), 8), 0x0123456789abcdefn],
      [42, 42n],
      [2n ** 62n, 2n ** 62n],
      [null, 0n],
    ];
    for (const [given, exact] of cases) assert.equal(bigintOfI64(given), exact);
  });
});
