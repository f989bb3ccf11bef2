/** What the clients of a torture know: which entries they posted, which receipts they have, what must follow from them. */
import assert from "node:assert/strict";
import type { Message } from "../support/binary.ts";
import { postArguments, resultOf, type TestEntry } from "../support/ledger-calls.ts";
import type { RawClient } from "../support/raw-client.ts";

/** A post's answer. */
export interface TestReceipt {
  readonly seq: number;
  readonly duplicate: boolean;
}

/** Every entry that was ever sent, by id, and its place once a receipt told it. */
export class Receipts {
  readonly #entries = new Map<string, TestEntry>();
  readonly #places = new Map<string, number>();
  readonly #ids: string[] = [];

  get size(): number {
    return this.#places.size;
  }

  /** Ids that were sent and have no receipt. */
  get unknown(): TestEntry[] {
    return [...this.#entries.values()].filter(({ id }) => !this.#places.has(id));
  }

  /** Entries with a receipt, oldest receipt first. */
  known(from = 0): TestEntry[] {
    return this.#ids.slice(from).map((id) => this.#entries.get(id)!);
  }

  sent(entry: TestEntry): void {
    this.#entries.set(entry.id, entry);
  }

  /** @throws when the id has another place already, or the place another id */
  received(id: string, { seq }: TestReceipt): void {
    const known = this.#places.get(id);
    assert.equal(known ?? seq, seq, `${id} was at ${known} and now is at ${seq}`);
    if (known !== undefined) return;
    this.#places.set(id, seq);
    this.#ids.push(id);
  }

  /** Posts once more what has no receipt, as a client would, and every given entry that has one: it must be the same. */
  async settle(clients: readonly RawClient[], known: readonly TestEntry[]): Promise<void> {
    const unknown = this.unknown;
    await each(clients, [...unknown, ...known], async (client, entry) => {
      const receipt = await post(client, entry);
      const had = this.#places.has(entry.id);
      assert.ok(!had || receipt.duplicate, `${entry.id} had a receipt and was not found`);
      this.received(entry.id, receipt);
    });
  }

  /** Asks the server for everything: it must be exactly what these receipts say. All ids must have one. */
  async check(client: RawClient): Promise<void> {
    assert.deepEqual(this.unknown, []);
    const places = [...this.#places.values()];
    assert.equal(new Set(places).size, places.length, "two ids have one place");
    assert.equal(
      places.reduce((most, place) => Math.max(most, place), 0),
      places.length,
      "there is a gap",
    );
    const audit = (await resultOf(client, "audit")) as Record<number, unknown>;
    assert.equal(audit[1], true, "the audit is not ok");
    assert.equal(audit[2], BigInt(places.length), "the ledger has entries that nobody posted, or twice");
    assert.equal(audit[3], audit[4], "debits and credits differ");
    for (const [account, balance] of this.#balances()) {
      assert.equal(await resultOf(client, "balance", { 1: { string: account } }), balance, account);
    }
  }

  #balances(): Map<string, bigint> {
    const balances = new Map<string, bigint>();
    for (const { debit, credit, amount } of this.#entries.values()) {
      balances.set(debit, (balances.get(debit) ?? 0n) - BigInt(amount));
      balances.set(credit, (balances.get(credit) ?? 0n) + BigInt(amount));
    }
    return balances;
  }
}

/** Posts an entry. @throws when there is no receipt: an exception came, or the connection ended */
export async function post(client: RawClient, entry: TestEntry): Promise<TestReceipt> {
  return receiptOf(await client.call("post", postArguments(entry)));
}

function receiptOf({ type, body }: Message): TestReceipt {
  const receipt = body[0] as Record<number, unknown> | undefined;
  if (type !== 2 || receipt === undefined) throw new Error(`no receipt: ${JSON.stringify(body[1] ?? null)}`);
  return { seq: Number(receipt[1]), duplicate: receipt[2] as boolean };
}

async function each<T>(
  clients: readonly RawClient[],
  items: readonly T[],
  work: (client: RawClient, item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await work(client, item);
    }),
  );
}
