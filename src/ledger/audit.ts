/**
 * The audit: walks all entries, checks each hash, adds everything up again and compares with the stored balances.
 * It runs where it is called, in a worker, and reads the store in pages, so that posts go on meanwhile.
 */
import { chainHash, chainStart } from "./chain.ts";
import type { AuditRow, LedgerStore } from "./store.ts";

/** The part of a store that an audit reads. */
export type AuditSource = Pick<LedgerStore, "auditRows" | "auditBalances">;

/** What an audit found. */
export interface AuditResult {
  /** The chain is unbroken, debits equal credits, and every stored balance is what its entries add up to. */
  readonly ok: boolean;
  /** How many entries were walked and found whole. */
  readonly entries: number;
  readonly debits: bigint;
  readonly credits: bigint;
  /** The hash of the last whole entry. */
  readonly head: string;
  /** The first entry that is missing or whose hash is wrong. */
  readonly brokenAt?: number;
}

/** Rows per page: about a millisecond of the store's time and of the worker's. */
const defaultPageRows = 500;

/** Walks the ledger up to the entries that were there when it began, or a little further. */
export async function auditLedger(
  source: AuditSource,
  pageRows: number = defaultPageRows,
): Promise<AuditResult> {
  const walk = new Walk();
  let balancesMatch = true;
  let accountsAtStart: Set<string> | undefined;
  let afterAccount = "";
  for (;;) {
    // Each page of balances says which entry was the last one then: walk exactly so far, then compare.
    const page = await source.auditBalances(afterAccount, pageRows);
    while (walk.seq < page.seq && walk.brokenAt === undefined) {
      const rows = await source.auditRows(walk.seq, Math.min(pageRows, page.seq - walk.seq));
      walk.take(rows);
    }
    if (walk.brokenAt !== undefined) break;
    accountsAtStart ??= new Set(walk.balances.keys());
    for (const [account, balance] of page.balances) {
      accountsAtStart.delete(account);
      if (walk.balances.get(account) !== balance) balancesMatch = false;
    }
    const last = page.balances.at(-1);
    if (last === undefined) break;
    afterAccount = last[0];
  }
  // An account that had entries at the start and was on no page has lost its balance.
  return walk.result(balancesMatch && accountsAtStart?.size === 0);
}

class Walk {
  readonly balances = new Map<string, bigint>();
  seq = 0;
  brokenAt: number | undefined;
  #head = chainStart;
  #debits = 0n;
  #credits = 0n;

  take(rows: readonly AuditRow[]): void {
    if (rows.length === 0) this.brokenAt = this.seq + 1;
    for (const [seq, id, debit, credit, amount, memo, hash] of rows) {
      const entry = { id, debit, credit, amount, memo: memo ?? undefined };
      const expected = chainHash(this.#head, this.seq + 1, entry);
      if (seq !== this.seq + 1 || hash !== expected) {
        this.brokenAt = this.seq + 1;
        return;
      }
      this.seq = seq;
      this.#head = hash;
      this.#add(debit, -amount);
      this.#add(credit, amount);
    }
  }

  result(balancesMatch: boolean): AuditResult {
    const whole = this.brokenAt === undefined;
    const ok = whole && balancesMatch && this.#debits === this.#credits;
    const found = { ok, entries: this.seq, debits: this.#debits, credits: this.#credits, head: this.#head };
    return this.brokenAt === undefined ? found : { ...found, brokenAt: this.brokenAt };
  }

  #add(account: string, change: bigint): void {
    this.balances.set(account, (this.balances.get(account) ?? 0n) + change);
    if (change < 0n) this.#debits -= change;
    else this.#credits += change;
  }
}
