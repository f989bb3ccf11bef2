/** Holds the types of clients to what they should be: checked by the compiler, never run. */
import type Int64 from "node-int64";
import { type Client, createClient } from "thrift-sluice/client";
import Ledger from "../../../gen/Ledger.js";
import type { Receipt } from "../../../gen/ledger_types.js";

const client: Client<typeof Ledger> = createClient(Ledger, {
  endpoints: "a:1",
  methods: { post: { idempotent: true } },
});

export async function uses(): Promise<void> {
  const entry = { id: "1", debit: "a", credit: "b", amount: 1n };
  const receipt: Receipt = await client.post(entry);
  const same: Receipt = await client.call("post", [entry], { timeoutMs: 5 });
  const balance: Int64 = await client.balance("a", { signal: AbortSignal.timeout(5) });
  const nothing: void = await client.track("c", 1);
  await using _closing = client;
  void [receipt, same, balance, nothing];
  // @ts-expect-error an entry needs an amount
  await client.post({ id: "1", debit: "a", credit: "b" });
  // @ts-expect-error there is no such method
  await client.nothing();
  // @ts-expect-error there is no such option
  await client.balance("a", { timeout: 5 });
  // @ts-expect-error an account is text
  await client.balance(5);
  // @ts-expect-error there is no such method
  createClient(Ledger, { endpoints: "a:1", methods: { nothing: {} } });
  createClient(Ledger.Client, { endpoints: ["a:1", { path: "/b" }] });
}
