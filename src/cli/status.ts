/** `sluice status`: what a running server does. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArguments } from "../config/arguments.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { readOptions } from "../config/read-options.ts";
import { type AdminClient, AdminError, adminOptions, createAdminClient } from "./admin-client.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { type Ending, endWith, exitCodes } from "./exit.ts";
import { showProgress, showStatus } from "./status-view.ts";

const statusOptions = {
  ...adminOptions,
  watch: { kind: "flag", fallback: false, help: "go on showing it until the server is gone or Ctrl-C" },
  interval: { kind: "duration", fallback: 1000, min: 100, max: 3_600_000, help: "how often --watch looks" },
  json: { kind: "flag", fallback: false, help: "the whole document as JSON; one per line with --watch" },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const statusCommand: Command = {
  name: "status",
  usage: "[--watch]",
  summary: "phase, calls in flight, workers, connections, drain countdown",
  description: `Shows what a running server does, as its admin port tells it.
Exits with 0, or 1 when the server can't be asked; --watch exits with 0 when the server is gone.`,
  options: statusOptions,
  async run(context) {
    const { given, positionals } = parseArguments(statusOptions, context.argv);
    if (positionals.length > 0) {
      throw new UsageError(`sluice status takes no arguments; got "${positionals[0]}"`);
    }
    const read = readOptions(statusOptions, given, { env: context.env, naming: "flag" });
    const client = createAdminClient(read);
    const json = read.flag("json");
    return read.flag("watch")
      ? watch(client, read.number("interval"), json, context)
      : once(client, json, context);
  },
};

async function once(client: AdminClient, json: boolean, context: CommandContext): Promise<Ending> {
  const status = await client.status();
  context.out(json ? `${JSON.stringify(status, null, 2)}\n` : showStatus(status));
  return endWith(exitCodes.done);
}

/** On a terminal the text is rewritten in place; elsewhere each look is a line. */
async function watch(
  client: AdminClient,
  intervalMs: number,
  json: boolean,
  context: CommandContext,
): Promise<Ending> {
  let shownLines = 0;
  for (let looks = 0; ; looks++) {
    try {
      const status = await client.status();
      if (json) {
        context.out(`${JSON.stringify(status)}\n`);
      } else if (context.terminal) {
        const text = showStatus(status);
        context.out(`${rewind(shownLines)}${text}`);
        shownLines = text.split("\n").length - 1;
      } else {
        context.out(`${new Date().toISOString()} ${showProgress(status)}\n`);
      }
    } catch (error) {
      if (looks > 0 && error instanceof AdminError && error.kind === "gone") {
        context.err("the server is gone\n");
        return endWith(exitCodes.done);
      }
      throw error;
    }
    await sleep(intervalMs);
  }
}

/** Moves the cursor up and clears from there. */
function rewind(lines: number): string {
  return lines === 0 ? "" : `\u001b[${lines}A\u001b[J`;
}
