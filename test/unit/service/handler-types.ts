/** What the compiler must accept of handlers and what not. Checked by `tsc`; there is nothing to run. */
import Int64 from "node-int64";
import Ledger from "../../../gen/Ledger.js";
import { defineService } from "../../../src/service/define.ts";
import type { HandlerOf } from "../../../src/service/handler-types.ts";

type Handler = HandlerOf<typeof Ledger.Client>;

const receipt = { seq: 1, duplicate: false };

/** Plain and asynchronous, all i64 forms, fewer parameters, structs as plain objects. */
export const accepted: Handler = {
  ping() {},
  post: async (entry) => ({ seq: new Int64(entry.id.length), duplicate: false }),
  postAll: (entries) => entries.map(() => receipt),
  balance: () => 12n,
  entries: async () => [],
  audit: () => ({ entries: 1, valid: true, debits: 1n, credits: new Int64(1), hash: "" }) as never,
  track: async (counter, delta) => void (counter.length + delta.valueOf()),
  counters: () => ({ a: 1 }) as never,
};

export const wrong: Partial<Handler> = {
  // @ts-expect-error a result of the wrong type
  post: () => "a receipt",
  // @ts-expect-error a field is missing
  postAll: () => [{ seq: 1 }],
  // @ts-expect-error more parameters than the IDL has
  balance: (account: string, more: number) => account.length + more,
  // @ts-expect-error an argument of the wrong type
  track: (counter: number) => void counter,
};

export const unknown: Partial<Handler> = {
  // @ts-expect-error no such method
  nonsense: () => 1,
};

// @ts-expect-error all methods of the IDL have to be there
export const missing: Handler = { ping() {} };

export const defined: unknown = defineService({ name: "Ledger", service: Ledger, handler: () => accepted });

export const incomplete: unknown = () =>
  defineService({
    name: "Ledger",
    service: Ledger,
    // @ts-expect-error the handler lacks methods
    handler: () => ({ ping() {} }),
  });

export const misspelt: unknown = () =>
  defineService({
    name: "Ledger",
    service: Ledger,
    handler: () => accepted,
    // @ts-expect-error options for a method that the IDL does not have
    methods: { pingg: { timeoutMs: 1 } },
  });
