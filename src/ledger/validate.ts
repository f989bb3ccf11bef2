/** The rules that an entry keeps by itself, whatever the ledger holds. */
import { InvalidCounterError, InvalidEntryError } from "./errors.ts";
import { maxI64 } from "./i64.ts";
import type { LedgerEntry } from "./store.ts";

/** The longest id, account or counter name, in bytes of UTF-8. */
export const maxNameBytes = 256;

/** The longest memo, in bytes of UTF-8: bounds what a page of entries can take. */
export const maxMemoBytes: number = 64 * 1024;

/** An entry whose fields may be missing, as a client can send it. */
export type EntryInput = { readonly [K in keyof LedgerEntry]?: LedgerEntry[K] | null | undefined };

/**
 * The entry with exactly its five fields. A missing field counts as empty, an empty memo as given.
 *
 * @throws {InvalidEntryError} naming the first rule that is broken
 */
export function checkEntry(input: EntryInput | null | undefined): LedgerEntry {
  const id = input?.id ?? "";
  const debit = input?.debit ?? "";
  const credit = input?.credit ?? "";
  const amount = input?.amount ?? 0n;
  const memo = input?.memo ?? undefined;
  const fault =
    faultOfName("id", id) ??
    faultOfName("debit", debit) ??
    faultOfName("credit", credit) ??
    (debit === credit ? "debit and credit must be different accounts" : undefined) ??
    (amount <= 0n ? `amount must be greater than 0, got ${amount}` : undefined) ??
    (amount > maxI64 ? `amount must be at most ${maxI64}` : undefined) ??
    (memo === undefined ? undefined : faultOfMemo(memo));
  if (fault !== undefined) throw new InvalidEntryError(fault, id);
  return memo === undefined ? { id, debit, credit, amount } : { id, debit, credit, amount, memo };
}

/** @throws {InvalidCounterError} when the name is empty, too long or not storable everywhere */
export function checkCounter(name: string | null | undefined): string {
  const fault = faultOfName("counter", name ?? "");
  if (fault !== undefined) throw new InvalidCounterError(fault);
  return name ?? "";
}

/** Whether two entries with the same id say the same. */
export function sameContent(a: LedgerEntry, b: LedgerEntry): boolean {
  return a.debit === b.debit && a.credit === b.credit && a.amount === b.amount && a.memo === b.memo;
}

function faultOfName(field: string, text: string): string | undefined {
  if (text.length === 0) return `${field} must not be empty`;
  // A UTF-16 unit is at most 3 bytes of UTF-8: short ones need no counting.
  if (text.length * 3 > maxNameBytes && Buffer.byteLength(text) > maxNameBytes) {
    return `${field} must be at most ${maxNameBytes} bytes long`;
  }
  return faultOfText(field, text);
}

function faultOfMemo(memo: string): string | undefined {
  if (memo.length * 3 > maxMemoBytes && Buffer.byteLength(memo) > maxMemoBytes) {
    return `memo must be at most ${maxMemoBytes} bytes long`;
  }
  return faultOfText("memo", memo);
}

/** PostgreSQL keeps no NUL, and no database a lone surrogate: what one store refuses, all do. */
function faultOfText(field: string, text: string): string | undefined {
  if (text.includes("\0")) return `${field} must not contain NUL characters`;
  return text.isWellFormed() ? undefined : `${field} must be valid Unicode`;
}
