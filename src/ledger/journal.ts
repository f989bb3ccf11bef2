/** The journal's entries as stores pass them on: an entry with its place and hash. */
import { type AuditRow, maxPageCharacters, type StoredEntry } from "./store.ts";

/** An entry that is to be written, or was. */
export interface JournalEntry extends StoredEntry {
  readonly hash: string;
}

/** The journal's last entry. */
export interface JournalHead {
  readonly seq: number;
  readonly hash: string;
}

/** A row as databases give it: seq as bigint. */
export type JournalRow = readonly [
  seq: bigint,
  id: string,
  debit: string,
  credit: string,
  amount: bigint,
  memo: string | null,
  hash: string,
];

/** One row of either form as an entry. */
export function entryOfRow(row: JournalRow | AuditRow): JournalEntry {
  const [seq, id, debit, credit, amount, memo, hash] = row;
  const entry = { seq: Number(seq), id, debit, credit, amount, hash };
  return memo === null ? entry : { ...entry, memo };
}

/** Entries as clients see them, as many as fit into a page: at least one, if there is one. */
export function pageOf(entries: readonly JournalEntry[]): StoredEntry[] {
  let characters = 0;
  let count = 0;
  for (const { memo } of entries) {
    characters += memo?.length ?? 0;
    if (count > 0 && characters > maxPageCharacters) break;
    count++;
  }
  return entries.slice(0, count).map(withoutHash);
}

function withoutHash({ seq, id, debit, credit, amount, memo }: JournalEntry): StoredEntry {
  return memo === undefined ? { seq, id, debit, credit, amount } : { seq, id, debit, credit, amount, memo };
}
