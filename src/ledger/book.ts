/**
 * The ledger's rules over what is stored: places, duplicates, balances, the chain. It stages entries in memory;
 * the store writes what was staged, and takes it back here when the database refuses.
 */
import { chainHash, chainStart } from "./chain.ts";
import { balanceError, contentError } from "./errors.ts";
import { fitsI64 } from "./i64.ts";
import type { JournalEntry, JournalHead } from "./journal.ts";
import type { LedgerEntry, LedgerReceipt } from "./store.ts";
import { sameContent } from "./validate.ts";

/** What the book looks up when it is not in memory. */
export interface BookSource {
  /** An entry by id, when it is indexed. */
  indexedEntry(id: string): JournalEntry | undefined;
  /** An account's balance after the last indexed entry. */
  indexedBalance(account: string): bigint | undefined;
}

/** The most accounts whose balance is kept in memory once they are indexed. */
const maxCachedAccounts = 100_000;

/** A point to go back to. */
export interface BookMark {
  readonly staged: number;
  readonly undo: number;
  readonly head: JournalHead;
}

/** All entries behind the index, all balances that the index doesn't know, and what is staged and not yet durable. */
export class Book {
  readonly #source: BookSource;
  /** Entries behind the index by id, oldest first. */
  #tail = new Map<string, JournalEntry>();
  #balances = new Map<string, bigint>();
  #changed = new Set<string>();
  #head: JournalHead;
  /** Balances before each change since the last commit; undefined: not in memory. Pairs, flat. */
  #undo: (string | bigint | undefined)[] = [];
  /** Staged since the last commit, in order. */
  staged: JournalEntry[] = [];

  constructor(source: BookSource, head: JournalHead | undefined) {
    this.#source = source;
    this.#head = head ?? { seq: 0, hash: chainStart };
  }

  get head(): JournalHead {
    return this.#head;
  }

  /** Entries behind the index, oldest first. */
  get tail(): Iterable<JournalEntry> {
    return this.#tail.values();
  }

  get tailLength(): number {
    return this.#tail.size;
  }

  /** Takes an entry in that the journal holds and the index does not. Used at opening, oldest first. */
  restore(entry: JournalEntry): void {
    this.#tail.set(entry.id, entry);
    this.#setBalance(entry.debit, this.balance(entry.debit) - entry.amount);
    this.#setBalance(entry.credit, this.balance(entry.credit) + entry.amount);
    this.#undo = [];
  }

  balance(account: string): bigint {
    return this.#balances.get(account) ?? this.#source.indexedBalance(account) ?? 0n;
  }

  /**
   * Gives a checked entry its place, or finds that it has one.
   *
   * @throws {InvalidEntryError} and stages nothing
   */
  stage(entry: LedgerEntry): LedgerReceipt {
    const known = this.#tail.get(entry.id) ?? this.#source.indexedEntry(entry.id);
    if (known !== undefined) {
      if (sameContent(known, entry)) return { seq: known.seq, duplicate: true };
      throw contentError(entry.id);
    }
    const debit = this.balance(entry.debit) - entry.amount;
    const credit = this.balance(entry.credit) + entry.amount;
    if (!fitsI64(debit) || !fitsI64(credit)) {
      throw balanceError(fitsI64(debit) ? entry.credit : entry.debit, entry.id);
    }
    const seq = this.#head.seq + 1;
    const hash = chainHash(this.#head.hash, seq, entry);
    const placed: JournalEntry = { seq, hash, ...entry };
    this.#head = placed;
    this.#tail.set(entry.id, placed);
    this.staged.push(placed);
    this.#setBalance(entry.debit, debit);
    this.#setBalance(entry.credit, credit);
    return { seq, duplicate: false };
  }

  /** All entries or none: when one is invalid, those before it are taken back. */
  stageAll(entries: readonly LedgerEntry[]): LedgerReceipt[] {
    const mark = this.mark();
    try {
      return entries.map((entry) => this.stage(entry));
    } catch (error) {
      this.backTo(mark);
      throw error;
    }
  }

  mark(): BookMark {
    return { staged: this.staged.length, undo: this.#undo.length, head: this.#head };
  }

  /** Takes back everything that was staged since the mark. */
  backTo(mark: BookMark): void {
    for (const entry of this.staged.splice(mark.staged)) this.#tail.delete(entry.id);
    while (this.#undo.length > mark.undo) {
      const before = this.#undo.pop() as bigint | undefined;
      const account = this.#undo.pop() as string;
      if (before !== undefined) this.#balances.set(account, before);
      else this.#forget(account);
    }
    this.#head = mark.head;
  }

  /** What was staged is durable. */
  committed(): void {
    this.staged = [];
    this.#undo = [];
  }

  /** Balances that changed since the last index step. */
  changedBalances(): (readonly [account: string, balance: bigint])[] {
    return [...this.#changed].sort().map((account) => [account, this.balance(account)] as const);
  }

  /** The index has caught up with the head: memory may forget. */
  indexed(): void {
    // New ones: a map that is cleared keeps what was in it in memory until the next full collection.
    this.#tail = new Map();
    this.#changed = new Set();
    if (this.#balances.size > maxCachedAccounts) this.#balances = new Map();
  }

  #setBalance(account: string, balance: bigint): void {
    this.#undo.push(account, this.#balances.get(account));
    this.#balances.set(account, balance);
    this.#changed.add(account);
  }

  #forget(account: string): void {
    this.#balances.delete(account);
    this.#changed.delete(account);
  }
}
