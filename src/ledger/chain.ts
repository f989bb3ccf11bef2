/** The hash chain: each entry's hash covers its content, its place and the hash before it. */
import { hash } from "node:crypto";
import type { LedgerEntry } from "./store.ts";

/** What stands before the first entry's hash. */
export const chainStart: string = "0".repeat(64);

/**
 * The entry's SHA-256 in hexadecimal. JSON of an array is the canonical form: it separates the fields without doubt,
 * and any language can write it.
 */
export function chainHash(previous: string, seq: number, entry: LedgerEntry): string {
  const { id, debit, credit, amount, memo } = entry;
  return hash(
    "sha256",
    JSON.stringify([previous, seq, id, debit, credit, String(amount), memo ?? null]),
    "hex",
  );
}
