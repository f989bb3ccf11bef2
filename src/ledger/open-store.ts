/** Finds the store that the option `store` names. */
import { LedgerOpenError } from "./errors.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import type { LedgerStore, LedgerStoreOptions } from "./store.ts";

/** Where the ledger is kept when nothing is said. */
export const defaultStore = "sqlite:./data/ledger.db";

/**
 * Opens a store by its address: `sqlite:PATH` (`sqlite::memory:` keeps nothing) or
 * `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
 *
 * @throws {LedgerOpenError} when the address has another form, or the store can't be opened
 */
export async function openStore(
  address: string = defaultStore,
  options: LedgerStoreOptions = {},
): Promise<LedgerStore> {
  const place = placeOfAddress(address);
  if (place.kind === "sqlite") return openSqliteStore(place.path, options);
  // Loaded when it is needed: nobody else should wait for a database client to load.
  const { openPostgresStore } = await import("./postgres-store.ts");
  return openPostgresStore(place.url, options);
}

/** What an address names. */
export type StoreAddress =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

/** @throws {LedgerOpenError} when the address has no known form; the message never shows one that may hold a password */
export function placeOfAddress(address: string): StoreAddress {
  const colon = address.indexOf(":");
  const scheme = address.slice(0, Math.max(0, colon));
  const rest = address.slice(colon + 1);
  if (scheme === "postgres" || scheme === "postgresql") {
    if (rest.startsWith("//") && rest.length > 2) return { kind: "postgres", url: address };
    throw new LedgerOpenError(`store: a PostgreSQL address is written ${scheme}://USER@HOST/DATABASE`);
  }
  if (scheme !== "sqlite") {
    const shown = address.includes("@") ? `${scheme}:…` : address;
    throw new LedgerOpenError(
      `store: ${JSON.stringify(shown)} is no store; use sqlite:PATH, as in ${defaultStore}, or postgres://…`,
    );
  }
  if (rest === "") throw new LedgerOpenError(`store: sqlite: needs a path, as in ${defaultStore}`);
  return { kind: "sqlite", path: rest };
}
