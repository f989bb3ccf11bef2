/** The reference service: `idl/ledger.thrift` over a store on the state thread. */
import type Int64 from "node-int64";
import Ledger from "../../gen/Ledger.js";
import types from "../../gen/ledger_types.js";
import { defineService, type ServiceDefinition } from "../service/define.ts";
import type { HandlerOf } from "../service/handler-types.ts";
import type { ProcessResource, RemoteOf } from "../service/resource-types.ts";
import { auditLedger } from "./audit.ts";
import { bigintOfI64, clampI64 } from "./i64.ts";
import { openStore } from "./open-store.ts";
import {
  defaultFlushIntervalMs,
  defaultStoreTimeoutMs,
  type LedgerEntry,
  type LedgerStore,
  type LedgerStoreOptions,
} from "./store.ts";

const store: ProcessResource<LedgerStore> = {
  scope: "process",
  open: ({ settings, log }) => openStore(settings["store"], { log, ...storeOptions(settings) }),
  flush: (opened) => opened.flush(),
  close: (opened) => opened.close(),
};

const ledgerService: ServiceDefinition<typeof Ledger, { store: typeof store }> = defineService({
  name: "Ledger",
  service: Ledger,
  resources: { store },
  methods: {
    ping: { idempotent: true },
    // An entry's id makes posting it again harmless.
    post: { idempotent: true },
    postAll: { idempotent: true },
    balance: { idempotent: true },
    entries: { idempotent: true },
    audit: { idempotent: true },
    counters: { idempotent: true },
  },
  handler: ({ resources }) => createHandler(resources.store),
});

export default ledgerService;

/** What the settings, which are texts, say about the store; the durations are in ms. */
function storeOptions({ flushInterval, storeTimeout }: Readonly<Record<string, string>>): LedgerStoreOptions {
  return {
    flushIntervalMs: Number(flushInterval ?? defaultFlushIntervalMs),
    timeoutMs: Number(storeTimeout ?? defaultStoreTimeoutMs),
  };
}

function createHandler(ledger: RemoteOf<LedgerStore>): HandlerOf<typeof Ledger.Client> {
  return {
    ping: () => {},
    post: (entry: types.Entry) => ledger.post(storable(entry)).catch(rethrow),
    postAll: (entries: types.Entry[]) => ledger.postAll((entries ?? []).map(storable)).catch(rethrow),
    balance: (account: string) => ledger.balance(account ?? ""),
    entries: async (account: string, afterSeq: Int64, limit: number) => {
      const found = await ledger.entries(account ?? "", Number(bigintOfI64(afterSeq)), limit ?? 0);
      return found.map(({ memo, ...entry }) => (memo === undefined ? entry : { ...entry, memo }));
    },
    audit: async () => {
      const found = await auditLedger(ledger);
      return { ...found, debits: clampI64(found.debits), credits: clampI64(found.credits) };
    },
    track: (counter: string, delta: Int64) => ledger.track(counter ?? "", bigintOfI64(delta)),
    counters: async () => Object.fromEntries(await ledger.counters()),
  };
}

/** What a client sent, in the store's types. Missing fields stay empty, for the store's rules to find. */
function storable(entry: types.Entry | null): LedgerEntry {
  const { id, debit, credit, amount, memo } = entry ?? ({} as Partial<types.Entry>);
  const fields = { id: id ?? "", debit: debit ?? "", credit: credit ?? "", amount: bigintOfI64(amount) };
  return memo === undefined || memo === null ? fields : { ...fields, memo };
}

/** The store's refusal as the exception that the IDL declares. */
function rethrow(error: Error & { code?: unknown; id?: unknown }): never {
  if (error.code !== "LEDGER_INVALID_ENTRY") throw error;
  throw new types.InvalidEntry({ message: error.message, id: String(error.id ?? "") });
}
