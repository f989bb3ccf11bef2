/** The ledger's errors. They cross threads by their `code` and fields, not by their class. */

/** The entry breaks a rule; nothing was changed. */
export class InvalidEntryError extends Error {
  readonly code = "LEDGER_INVALID_ENTRY";
  override readonly name = "InvalidEntryError";
  /** The id of the entry at fault; may be empty. */
  readonly id: string;

  constructor(message: string, id: string) {
    super(message);
    this.id = id;
  }
}

/** What was posted before under this id says something else. */
export function contentError(id: string): InvalidEntryError {
  return new InvalidEntryError("the id is known with other content", id);
}

/** The entry would move an account's balance too far. */
export function balanceError(account: string, id: string): InvalidEntryError {
  return new InvalidEntryError(`the balance of "${account}" would leave the range of i64`, id);
}

/** A counter's name breaks a rule. */
export class InvalidCounterError extends Error {
  readonly code = "LEDGER_INVALID_COUNTER";
  override readonly name = "InvalidCounterError";
}

/** The store can't be opened. The message names its place and says what to do. */
export class LedgerOpenError extends Error {
  readonly code = "LEDGER_OPEN";
  override readonly name = "LedgerOpenError";
}

/** Another process has the store. */
export class LedgerInUseError extends LedgerOpenError {
  /** A successor waits for it: see `server/succession.ts`. */
  readonly heldElsewhere = true;
}

/** The database refused to write (disk full, I/O error …). Nothing of the call was kept; post it again. */
export class LedgerWriteError extends Error {
  readonly code = "LEDGER_WRITE";
  override readonly name = "LedgerWriteError";
}

/**
 * The database can't be reached or does not answer, and the call's time is over.
 *
 * When `unknown` is true, the entry may have become durable all the same: post it again with the same id to learn it.
 * Else nothing of the call was kept.
 */
export class LedgerUnavailableError extends Error {
  readonly code = "LEDGER_UNAVAILABLE";
  override readonly name = "LedgerUnavailableError";
  readonly unknown: boolean;

  constructor(message: string, unknown: boolean, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.unknown = unknown;
  }
}

/** A ledger could not be copied. The message says why and what to do. */
export class LedgerBackupError extends Error {
  readonly code = "LEDGER_BACKUP";
  override readonly name = "LedgerBackupError";
}

/** The store is closed. */
export class LedgerClosedError extends Error {
  readonly code = "LEDGER_CLOSED";
  override readonly name = "LedgerClosedError";
}
