import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MessageType } from "../support/binary.ts";
import { postArguments, resultOf, type TestEntry, trackArguments } from "../support/ledger-calls.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { type Ended, startServer, temporaryFolder } from "../support/server-process.ts";

const posts = 500;
const tracks = 200;
const accounts: readonly string[] = ["cash", "rent", "food", "wages"];

const entries: readonly TestEntry[] = Array.from({ length: posts }, (_, index) => ({
  id: `entry-${index}`,
  debit: accounts[index % 4]!,
  credit: accounts[(index + 1 + (index % 3)) % 4]!,
  amount: index + 1,
}));

/** What the accounts must hold. */
function expectedBalances(): bigint[] {
  return accounts.map((account) => {
    const credited = entries.filter(({ credit }) => credit === account);
    const debited = entries.filter(({ debit }) => debit === account);
    const sum = (some: readonly TestEntry[]): number => some.reduce((total, { amount }) => total + amount, 0);
    return BigInt(sum(credited) - sum(debited));
  });
}

/** Posts all entries at once and returns their receipts. */
function postAll(client: RawClient): Promise<unknown[]> {
  return Promise.all(entries.map((entry) => resultOf(client, "post", postArguments(entry))));
}

async function balancesOf(client: RawClient): Promise<unknown[]> {
  return Promise.all(accounts.map((account) => resultOf(client, "balance", { 1: { string: account } })));
}

/** Serves the store, lets a client work on it, and stops. */
async function serveOnce(
  t: TestContext,
  store: string,
  work: (client: RawClient) => Promise<void>,
): Promise<Ended> {
  const server = await startServer(t, { args: ["--store", store] });
  const client = await connectRaw(t, { connect: { port: server.port } });
  await work(client);
  server.signal();
  const ended = await server.ended;
  assert.equal(ended.code, 0, JSON.stringify(ended.last));
  assertExact(ended.last);
  return ended;
}

test("a stop loses no entry, receipt or counter, and a start finds them all", async (t) => {
  const store = `sqlite:${join(temporaryFolder(t), "deep", "er", "ledger.db")}`;
  const expected = expectedBalances();
  let receipts: unknown[] = [];
  const { last } = await serveOnce(t, store, async (client) => {
    receipts = await postAll(client);
    for (let i = 0; i < tracks; i++) {
      client.send("track", trackArguments(i % 2 === 0 ? "even" : "odd", i), MessageType.ONEWAY);
    }
    // Nothing waits for the oneway calls: the signal comes right behind them, but this answer says they were read.
    assert.deepEqual(await balancesOf(client), expected);
  });
  assert.equal(last["oneway"], tracks);
  const seqs = (receipts as Record<number, unknown>[]).map((receipt) => receipt[1]);
  assert.deepEqual(
    seqs.toSorted((a, b) => Number(a) - Number(b)),
    entries.map((_, index) => BigInt(index + 1)),
  );

  await serveOnce(t, store, async (client) => {
    assert.deepEqual(await balancesOf(client), expected);
    assert.deepEqual(
      await resultOf(client, "counters"),
      new Map([
        ["even", 9900n],
        ["odd", 10000n],
      ]),
    );
    const audit = (await resultOf(client, "audit")) as Record<number, unknown>;
    assert.deepEqual([audit[1], audit[2], audit[3], audit[4]], [true, 500n, 125250n, 125250n]);
    const again = await postAll(client);
    assert.deepEqual(
      again,
      (receipts as object[]).map((receipt) => ({ ...receipt, 2: true })),
      "the same receipts, as duplicates",
    );
    assert.deepEqual(await balancesOf(client), expected, "posting again changed nothing");
  });
});
