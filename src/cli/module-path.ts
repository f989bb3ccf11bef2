import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** The word that stands for the reference ledger on the command line. */
export const ledgerWord = "ledger";

/** The path of a service module as the user named it; `ledger` is the reference service of this very copy. */
export function modulePath(module: string): string {
  return module === ledgerWord ? ledgerPath() : module;
}

/** The reference service's module: a source from source, else what was built. */
export function ledgerPath(): string {
  return fileURLToPath(new URL(`../ledger/service${extname(import.meta.filename)}`, import.meta.url));
}
