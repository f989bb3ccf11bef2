/** What every ledger store must do: one suite, run against each implementation. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { auditLedger } from "../../../src/ledger/audit.ts";
import { maxI64 } from "../../../src/ledger/i64.ts";
import type { LedgerEntry, LedgerStore } from "../../../src/ledger/store.ts";

/** A place where a store keeps things: opened again, it gives back what was kept. */
export interface StorePlace extends AsyncDisposable {
  open(): Promise<LedgerStore>;
}

export function entry(id: string, fields: Partial<LedgerEntry> = {}): LedgerEntry {
  return { id, debit: "alice", credit: "bob", amount: 10n, ...fields };
}

const invalid = { code: "LEDGER_INVALID_ENTRY" };

export function describeStore(name: string, createPlace: () => Promise<StorePlace>): void {
  const withStore = (test: (store: LedgerStore, place: StorePlace) => Promise<void>) => async () => {
    await using place = await createPlace();
    const store = await place.open();
    try {
      await test(store, place);
    } finally {
      await store.close();
    }
  };

  describe(`${name} posts`, () => {
    it(
      "gives entries their places from 1 on and moves the balances",
      withStore(async (store) => {
        assert.deepEqual(await store.post(entry("a")), { seq: 1, duplicate: false });
        assert.deepEqual(await store.post(entry("b", { amount: 5n })), { seq: 2, duplicate: false });
        assert.equal(await store.balance("alice"), -15n);
        assert.equal(await store.balance("bob"), 15n);
        assert.equal(await store.balance("nobody"), 0n);
      }),
    );

    it(
      "gives the first receipt for an id that is posted again, in the same turn and later",
      withStore(async (store) => {
        const [first, second] = await Promise.all([store.post(entry("a")), store.post(entry("a"))]);
        assert.deepEqual(
          [first, second],
          [
            { seq: 1, duplicate: false },
            { seq: 1, duplicate: true },
          ],
        );
        assert.deepEqual(await store.post(entry("a")), { seq: 1, duplicate: true });
        assert.equal(await store.balance("bob"), 10n);
      }),
    );

    it(
      "refuses a known id with any other content",
      withStore(async (store) => {
        await store.post(entry("a", { memo: "rent" }));
        for (const other of [
          { debit: "x" },
          { credit: "x" },
          { amount: 11n },
          { memo: "food" },
          { memo: undefined },
        ]) {
          await assert.rejects(store.post(entry("a", { memo: "rent", ...other })), { ...invalid, id: "a" });
        }
        assert.deepEqual(await store.counters(), new Map());
        assert.equal(await store.balance("bob"), 10n);
      }),
    );

    it(
      "keeps the valid ones of a turn when others are invalid",
      withStore(async (store) => {
        const posted = await Promise.allSettled([
          store.post(entry("a")),
          store.post(entry("")),
          store.post(entry("a", { amount: 11n })),
          store.post(entry("b", { credit: "alice" })),
          store.post(entry("c")),
        ]);
        assert.deepEqual(
          posted.map(({ status }) => status),
          ["fulfilled", "rejected", "rejected", "rejected", "fulfilled"],
        );
        assert.equal(await store.balance("bob"), 20n);
        assert.deepEqual(await store.post(entry("d")), { seq: 3, duplicate: false });
      }),
    );

    it(
      "keeps the whole range of i64 exactly and refuses balances beyond it",
      withStore(async (store, place) => {
        await store.post(entry("a", { amount: maxI64 }));
        await assert.rejects(store.post(entry("b", { amount: 1n })), { ...invalid, id: "b" });
        assert.equal(await store.balance("bob"), maxI64);
        assert.equal(await store.balance("alice"), -maxI64);
        assert.deepEqual(await store.post(entry("a", { amount: maxI64 })), { seq: 1, duplicate: true });
        await store.close();
        const again = await place.open();
        assert.equal(await again.balance("alice"), -maxI64);
        assert.equal((await again.entries("bob", 0, 1))[0]?.amount, maxI64);
        await again.close();
      }),
    );

    it(
      "posts all of a list or none",
      withStore(async (store) => {
        const neighbour = store.post(entry("n"));
        const bad = store.postAll([entry("a"), entry("b", { debit: "carol" }), entry("a", { amount: 99n })]);
        await assert.rejects(bad, { ...invalid, id: "a" });
        assert.deepEqual(await neighbour, { seq: 1, duplicate: false });
        assert.equal(await store.balance("carol"), 0n);
        assert.deepEqual(await store.postAll([entry("a"), entry("a"), entry("n"), entry("z")]), [
          { seq: 2, duplicate: false },
          { seq: 2, duplicate: true },
          { seq: 1, duplicate: true },
          { seq: 3, duplicate: false },
        ]);
        assert.deepEqual(await store.postAll([]), []);
      }),
    );

    it(
      "does not let a list disturb the balances when it is taken back",
      withStore(async (store) => {
        const posts = [
          store.post(entry("a", { amount: 7n })),
          store.postAll([entry("b"), entry("c"), entry("")]),
          store.post(entry("d", { amount: 5n })),
        ];
        assert.deepEqual(
          (await Promise.allSettled(posts)).map(({ status }) => status),
          ["fulfilled", "rejected", "fulfilled"],
        );
        assert.equal(await store.balance("bob"), 12n);
        assert.deepEqual(await store.post(entry("b")), { seq: 3, duplicate: false });
        assert.equal((await auditLedger(store)).ok, true);
      }),
    );

    it(
      "keeps texts of any script, quotes and an empty memo as they are",
      withStore(async (store) => {
        const odd = entry("id '\"; -- 𝒳", { debit: "جيب", credit: "__proto__", memo: "" });
        await store.post(odd);
        assert.deepEqual(await store.entries("__proto__", 0, 10), [{ seq: 1, ...odd }]);
        assert.deepEqual(await store.post(odd), { seq: 1, duplicate: true });
      }),
    );
  });

  describe(`${name} reads`, () => {
    it(
      "an account's entries in order, in pages, bounded",
      withStore(async (store) => {
        const posts = Array.from({ length: 2_500 }, (_, i) =>
          store.post(entry(`e${i}`, i % 2 === 0 ? {} : { debit: "bob", credit: "carol" })),
        );
        await Promise.all(posts);
        assert.equal((await store.entries("bob", 0, 0)).length, 100);
        assert.equal((await store.entries("bob", 0, -1)).length, 100);
        const seen: number[] = [];
        for (let page = await store.entries("bob", 0, 5_000); page.length > 0; ) {
          assert.ok(page.length <= 1_000);
          seen.push(...page.map(({ seq }) => seq));
          page = await store.entries("bob", seen.at(-1) ?? 0, 5_000);
        }
        assert.deepEqual(
          seen,
          Array.from({ length: 2_500 }, (_, i) => i + 1),
        );
        assert.deepEqual(
          (await store.entries("carol", 2_496, 10)).map(({ id }) => id),
          ["e2497", "e2499"],
        );
        assert.deepEqual(await store.entries("nobody", 0, 10), []);
      }),
    );

    it(
      "long memos in pages that fit into a frame, to the last one",
      withStore(async (store) => {
        const memo = "m".repeat(60_000);
        await store.postAll(Array.from({ length: 80 }, (_, i) => entry(`e${i}`, { memo: `${i}${memo}` })));
        const seen: number[] = [];
        let pages = 0;
        for (let page = await store.entries("bob", 0, 1_000); page.length > 0; pages++) {
          assert.ok(page.reduce((sum, found) => sum + (found.memo?.length ?? 0), 0) <= 2 * 1024 * 1024);
          seen.push(...page.map(({ seq }) => seq));
          page = await store.entries("bob", seen.at(-1) ?? 0, 1_000);
        }
        assert.deepEqual([seen.length, pages], [80, 3]);
        assert.equal((await auditLedger(store)).ok, true);
      }),
    );

    it(
      "what was posted before in the same turn",
      withStore(async (store) => {
        const post = store.post(entry("a"));
        assert.equal(await store.balance("bob"), 10n);
        assert.equal((await store.entries("bob", 0, 1)).length, 1);
        await post;
      }),
    );
  });

  describe(`${name} survives`, () => {
    it(
      "being closed and opened: receipts, balances, counters, chain",
      withStore(async (store, place) => {
        const ids = Array.from({ length: 3_000 }, (_, i) => `e${i}`);
        for (let at = 0; at < ids.length; at += 500) {
          await Promise.all(
            ids.slice(at, at + 500).map((id, i) => store.post(entry(id, { credit: `c${i % 7}` }))),
          );
        }
        await store.track("hits", 41n);
        await store.track("hits", 1n);
        const { head } = await auditLedger(store);
        await store.close();
        const again = await place.open();
        assert.equal(await again.balance("alice"), -30_000n);
        assert.deepEqual(await again.counters(), new Map([["hits", 42n]]));
        for (const seq of [1, 1_024, 1_025, 2_999, 3_000]) {
          const i = (seq - 1) % 500;
          const known = entry(`e${seq - 1}`, { credit: `c${i % 7}` });
          assert.deepEqual(await again.post(known), { seq, duplicate: true });
        }
        assert.deepEqual(await auditLedger(again), {
          ok: true,
          entries: 3_000,
          debits: 30_000n,
          credits: 30_000n,
          head,
        });
        assert.deepEqual(await again.post(entry("new")), { seq: 3_001, duplicate: false });
        await again.close();
      }),
    );

    it(
      "being used after its close: every call rejects",
      withStore(async (store) => {
        const waiting = store.post(entry("a"));
        await store.close();
        await store.close();
        assert.deepEqual(await waiting, { seq: 1, duplicate: false });
        const closed = { code: "LEDGER_CLOSED" };
        await assert.rejects(store.post(entry("b")), closed);
        await assert.rejects(store.postAll([entry("b")]), closed);
        await assert.rejects(store.balance("bob"), closed);
        await assert.rejects(store.entries("bob", 0, 1), closed);
        await assert.rejects(store.track("hits", 1n), closed);
        await assert.rejects(store.counters(), closed);
        await store.flush();
      }),
    );
  });

  describe(`${name} counts`, () => {
    it(
      "in memory at once, within i64, and refuses bad names",
      withStore(async (store) => {
        await store.track("a", 2n);
        await store.track("a", -5n);
        await store.track("big", maxI64);
        await store.track("big", maxI64);
        assert.deepEqual(
          await store.counters(),
          new Map([
            ["a", -3n],
            ["big", maxI64],
          ]),
        );
        await assert.rejects(store.track("", 1n), { code: "LEDGER_INVALID_COUNTER" });
        await assert.rejects(store.track("x".repeat(257), 1n), { code: "LEDGER_INVALID_COUNTER" });
      }),
    );
  });

  describe(`${name} is audited`, () => {
    it(
      "empty, and while posts go on",
      withStore(async (store) => {
        const empty = await auditLedger(store);
        assert.deepEqual([empty.ok, empty.entries, empty.debits], [true, 0, 0n]);
        await Promise.all(
          Array.from({ length: 300 }, (_, i) => store.post(entry(`e${i}`, { credit: `c${i}` }))),
        );
        // Each page that the audit reads is followed by new entries, new accounts among them.
        let more = 0;
        const post = () =>
          Promise.all([1, 2, 3].map(() => store.post(entry(`m${++more}`, { debit: `d${more}` }))));
        const busy = {
          auditRows: async (after: number, limit: number) => {
            const rows = await store.auditRows(after, limit);
            if (more < 200) await post();
            return rows;
          },
          auditBalances: async (after: string, limit: number) => {
            const page = await store.auditBalances(after, limit);
            if (more < 200) await post();
            return page;
          },
        };
        const audit = await auditLedger(busy, 20);
        assert.equal(audit.ok, true);
        assert.ok(audit.entries >= 300);
      }),
    );
  });
}
