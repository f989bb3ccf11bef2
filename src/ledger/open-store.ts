/** Finds the store that the option `store` names. */
import { LedgerOpenError } from "./errors.ts";
import { openSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
import type { LedgerStore } from "./store.ts";

/** Where the ledger is kept when nothing is said. */
export const defaultStore = "sqlite:./data/ledger.db";

/**
 * Opens a store by its address: `sqlite:PATH` (`sqlite::memory:` keeps nothing).
 *
 * @throws {LedgerOpenError} when the address has another form, or the store can't be opened
 */
export function openStore(address: string = defaultStore, options: SqliteStoreOptions = {}): LedgerStore {
  const colon = address.indexOf(":");
  const scheme = address.slice(0, Math.max(0, colon));
  const place = address.slice(colon + 1);
  if (scheme === "postgres" || scheme === "postgresql") {
    throw new LedgerOpenError("store: postgres is not available yet; use sqlite:PATH");
  }
  if (scheme !== "sqlite") {
    throw new LedgerOpenError(
      `store: ${JSON.stringify(address)} is no store; use sqlite:PATH, as in ${defaultStore}`,
    );
  }
  if (place === "") throw new LedgerOpenError(`store: sqlite: needs a path, as in ${defaultStore}`);
  return openSqliteStore(place, options);
}
