/**
 * The reference service: a small double-entry ledger.
 */
namespace js ledger
namespace py ledger

/** One transfer of `amount` from the account `debit` to the account `credit`. */
struct Entry {
  /** The client's idempotency key: posting it again returns the first receipt. */
  1: string id,
  2: string debit,
  3: string credit,
  /** In the smallest unit of the currency, greater than zero. */
  4: i64 amount,
  5: optional string memo,
}

/** Proof that an entry is durable. */
struct Receipt {
  /** The entry's place in the ledger, counted from 1. */
  1: i64 seq,
  /** True when the entry had been posted before. */
  2: bool duplicate,
}

/** What a walk over the whole ledger found. */
struct Audit {
  /** True when the hash chain is unbroken and debits equal credits. */
  1: bool ok,
  2: i64 entries,
  3: i64 debits,
  4: i64 credits,
  /** The hash of the last entry, in hexadecimal. */
  5: string head,
  /** The first entry at which the chain is broken. */
  6: optional i64 brokenAt,
}

/** The entry breaks a rule and nothing was changed. */
exception InvalidEntry {
  1: string message,
  /** The id of the entry at fault. */
  2: string id,
}

service Ledger {
  void ping(),

  /** Returns when the entry is durable. */
  Receipt post(1: Entry entry) throws (1: InvalidEntry invalid),

  /** Posts all entries or, when one is invalid, none. */
  list<Receipt> postAll(1: list<Entry> entries) throws (1: InvalidEntry invalid),

  /** What was credited to the account less what was debited from it. */
  i64 balance(1: string account),

  /** The account's entries behind `afterSeq`, oldest first. */
  list<Entry> entries(1: string account, 2: i64 afterSeq, 3: i32 limit),

  /** Walks the whole ledger: CPU-heavy. */
  Audit audit(),

  /** Adds to a counter, buffered: durable at the next flush. */
  oneway void track(1: string counter, 2: i64 delta),

  map<string, i64> counters(),
}
