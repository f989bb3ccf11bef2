/** `sluice ledger`: what can be done with the reference ledger beside serving it. */
import { parseArguments } from "../config/arguments.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { options } from "../config/options.ts";
import { readOptions } from "../config/read-options.ts";
import { type Command, UsageError } from "./command.ts";
import { endWith, exitCodes } from "./exit.ts";

const ledgerOptions = {
  store: { ...options.store, help: "the ledger: sqlite:PATH" },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const ledgerCommand: Command = {
  name: "ledger",
  usage: "backup FILE",
  summary: "copies the reference ledger, while a server uses it too",
  description: `Copies the reference ledger's SQLite file as it is at this moment; a server that uses it is not disturbed. The copy is
audited and written to the disk before it gets its name, and can be served as it is. One line of JSON on stdout says
what it holds. A ledger in PostgreSQL is copied with PostgreSQL's own pg_dump.
Exits with 0 when the copy is whole, 1 when there is none, 2 for a mistake in the command.`,
  options: ledgerOptions,
  async run(context) {
    const { given, positionals } = parseArguments(ledgerOptions, context.argv);
    const [action, file, ...more] = positionals;
    if (action !== "backup" || file === undefined || file === "" || more.length > 0) {
      throw new UsageError("write: sluice ledger backup FILE");
    }
    const read = readOptions(ledgerOptions, given, { env: context.env, naming: "flag" });
    // Loaded here, so that the other commands start fast.
    const { placeOfAddress } = await import("../ledger/open-store.ts");
    const place = placeOfAddress(read.text("store"));
    if (place.kind === "postgres") {
      throw new UsageError(
        "sluice ledger backup copies SQLite files; copy a PostgreSQL database with pg_dump",
      );
    }
    const { backupSqlite } = await import("../ledger/sqlite-backup.ts");
    context.out(`${JSON.stringify(await backupSqlite(place.path, file))}\n`);
    return endWith(exitCodes.done);
  },
};
