/** `sluice drain`: asks a running server to drain and follows it to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import type { StatusDocument } from "../admin/status.ts";
import { parseArguments } from "../config/arguments.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { readOptions } from "../config/read-options.ts";
import type { DrainReport } from "../server/report.ts";
import { showReport } from "../server/show-report.ts";
import {
  type AdminClient,
  AdminError,
  type AwaitedEnd,
  adminOptions,
  createAdminClient,
} from "./admin-client.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { type Ending, endWith, exitCodes } from "./exit.ts";
import { showProgress } from "./status-view.ts";

const drainOptions = {
  ...adminOptions,
  reason: {
    kind: "text",
    fallback: "sluice drain",
    placeholder: "TEXT",
    form: "1 to 200 printable characters",
    accepts: (text) => /^[^\p{Cc}]{1,200}$/u.test(text),
    help: "what the server's log and report give as reason",
  },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const drainCommand: Command = {
  name: "drain",
  usage: "",
  summary: "asks a running server to drain, and follows it to its end",
  description: `Asks a running server to drain, tells how far it is, and at its end the report: for a person on a
terminal, else as JSON.
Exits with 0 when the server drained, 1 when it could not be asked or the drain was taken back, and with the server's
own exit code when its report told one: 3 calls were cut, 4 state may be lost.`,
  options: drainOptions,
  async run(context) {
    const { given, positionals } = parseArguments(drainOptions, context.argv);
    if (positionals.length > 0) {
      throw new UsageError(`sluice drain takes no arguments; got "${positionals[0]}"`);
    }
    const read = readOptions(drainOptions, given, { env: context.env, naming: "flag" });
    const client = createAdminClient(read);
    const end = client.awaitEnd();
    try {
      await client.drain(read.text("reason"));
      context.err(`${client.where} drains\n`);
      return await follow(client, end, context);
    } finally {
      end.stop();
    }
  },
};

/** How often to look: while calls are awaited, and when the end is near and the report may be had for a moment. */
const lookMs = { waiting: 200, ending: 20 };

/** A server that does not answer for so long is not followed any more. */
const patienceMs = 15_000;

async function follow(client: AdminClient, end: AwaitedEnd, context: CommandContext): Promise<Ending> {
  let shown = "";
  let report: unknown = null;
  let answeredAtMs = performance.now();
  for (;;) {
    let status: StatusDocument;
    try {
      status = await client.status();
      answeredAtMs = performance.now();
    } catch (error) {
      if (error instanceof AdminError && error.kind === "gone") {
        return conclude((await end.report) ?? report, context);
      }
      if (!(error instanceof AdminError) || performance.now() - answeredAtMs > patienceMs) {
        throw error;
      }
      continue;
    }
    const { phase } = status.phase;
    if (phase === "serving") {
      context.err("the drain was taken back; the server goes on\n");
      return endWith(exitCodes.failed);
    }
    report = status.lastReport ?? report;
    const progress = showProgress(status);
    // The times change with every look; a line is worth printing when anything else did, or a second passed.
    const essence = progress.replace(/(\d+)\.\d s/g, "$1 s");
    if (essence !== shown) {
      shown = essence;
      context.err(`${progress}\n`);
    }
    const nearEnd = phase !== "lame-duck" && status.calls.owed === 0 && status.calls.running === 0;
    await sleep(nearEnd ? lookMs.ending : lookMs.waiting);
  }
}

/** The admin port closes last: when it is gone, the drain is over. */
function conclude(report: unknown, context: CommandContext): Ending {
  if (typeof report !== "object" || report === null) {
    context.err("the server has stopped; its report is the last line of its log\n");
    return endWith(exitCodes.done);
  }
  context.err("the server has stopped\n");
  context.out(
    context.terminal
      ? `${showReport(report as DrainReport).join("\n")}\n`
      : `${JSON.stringify(report, null, 2)}\n`,
  );
  const code = (report as { readonly exitCode?: unknown }).exitCode;
  return endWith(typeof code === "number" ? code : exitCodes.done);
}
