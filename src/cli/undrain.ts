/** `sluice undrain`: takes a drain back while the server is in its lame duck. */
import { parseArguments } from "../config/arguments.ts";
import { readOptions } from "../config/read-options.ts";
import { adminOptions, createAdminClient } from "./admin-client.ts";
import { type Command, UsageError } from "./command.ts";
import { endWith, exitCodes } from "./exit.ts";

/** The command. */
export const undrainCommand: Command = {
  name: "undrain",
  usage: "",
  summary: "takes a drain back, as long as the server is in its lame duck",
  description: `Has a running server that was asked to drain serve again. That can be done in its lame duck (--lame-duck of sluice
serve) only, and not when a signal told it to stop.
Exits with 0 when the server serves again, and 1 when it could not be asked or refused.`,
  options: adminOptions,
  async run(context) {
    const { given, positionals } = parseArguments(adminOptions, context.argv);
    if (positionals.length > 0) {
      throw new UsageError(`sluice undrain takes no arguments; got "${positionals[0]}"`);
    }
    const client = createAdminClient(readOptions(adminOptions, given, { env: context.env, naming: "flag" }));
    await client.undrain();
    context.err(`${client.where} serves again\n`);
    return endWith(exitCodes.done);
  },
};
