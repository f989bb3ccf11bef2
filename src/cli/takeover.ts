/** `sluice takeover`: has a running server replaced by a new process of the same command line. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArguments } from "../config/arguments.ts";
import { readOptions } from "../config/read-options.ts";
import type { TakeoverStatus } from "../server/succession.ts";
import { type AdminClient, AdminError, adminOptions, createAdminClient } from "./admin-client.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { type Ending, endWith, exitCodes } from "./exit.ts";

/** The command. */
export const takeoverCommand: Command = {
  name: "takeover",
  usage: "",
  summary: "has a running server replaced by a new process, without a refused connection",
  description: `Asks a running server to start its successor: the same command line in the same environment, with the code that is
installed now. The successor gets both listeners; when it is loaded, the old process drains, and clients that connect
meanwhile wait. A successor that can't start leaves the old process as it is. Not for process 1 of a container.
Exits with 0 when the successor serves, and 1 when the takeover was refused or failed.`,
  options: adminOptions,
  async run(context) {
    const { given, positionals } = parseArguments(adminOptions, context.argv);
    if (positionals.length > 0) {
      throw new UsageError(`sluice takeover takes no arguments; got "${positionals[0]}"`);
    }
    const client = createAdminClient(readOptions(adminOptions, given, { env: context.env, naming: "flag" }));
    const { pid: before } = await client.status();
    const pid = await client.takeover();
    context.err(`process ${pid} starts, to take over from process ${before}\n`);
    return follow(client, pid, context);
  },
};

const lookMs = 50;
/** Without any answer for so long, the takeover is not followed any more. */
const patienceMs = 30_000;

/** The old process answers until the new one can; both are found at the same address. */
async function follow(client: AdminClient, successor: number, context: CommandContext): Promise<Ending> {
  let answeredAtMs = performance.now();
  for (;;) {
    try {
      const { pid, phase, takeover } = await client.status();
      answeredAtMs = performance.now();
      if (pid === successor && phase.phase === "serving") {
        context.err(`process ${pid} serves\n`);
        return endWith(exitCodes.done);
      }
      const status = takeover as TakeoverStatus | null;
      if (pid !== successor && status?.state === "failed") {
        context.err(`sluice: ${status.why}; process ${pid} serves on\n`);
        return endWith(exitCodes.failed);
      }
    } catch (error) {
      if (!(error instanceof AdminError) || performance.now() - answeredAtMs > patienceMs) throw error;
    }
    await sleep(lookMs);
  }
}
