/** `sluice serve`: runs a server in this process until it has stopped. */
import { parseArguments } from "../config/arguments.ts";
import { type Config, resolveConfig } from "../config/config.ts";
import { optionGroups, options } from "../config/options.ts";
import { misspeltVariables } from "../config/read-options.ts";
import type { ServeOptions } from "../config/serve-options.ts";
import { createLogger } from "../log/create-logger.ts";
import type { DrainReport } from "../server/report.ts";
import type { Server } from "../server/server.ts";
import type { Predecessor } from "../server/succession.ts";
import type { Command, CommandContext } from "./command.ts";
import { leaveOnCrash } from "./crash.ts";
import { describeError, exitCodeOfError } from "./describe-error.ts";
import type { Ending } from "./exit.ts";
import { ledgerWord, modulePath } from "./module-path.ts";
import { findPredecessor, tellPredecessor } from "./predecessor.ts";
import { startSuccessor } from "./successor.ts";
import { welcome } from "./welcome.ts";

/** The least and the most that the last lines of the log may take when their reader stands still, in ms. */
const leastLastLinesMs = 250;
const mostLastLinesMs = 2000;
/** What the process itself needs to end, in ms. */
const exitMs = 200;

/** The command. */
export const serveCommand: Command = {
  name: "serve",
  usage: "[MODULE…]",
  summary: "serves; with no module, the reference ledger",
  description: `Serves the services that the modules declare, until a signal or sluice drain stops it. With no module (or the
word ledger) it serves the reference ledger. Several modules are multiplexed by name; the first also answers plain
clients. JSON lines on stdout are its log; what stderr says is for people.
Exits with 0 when it stopped clean, 1 failed to start, 2 bad option, 3 calls were cut when the grace period ran out,
4 flush or close failed, 70 the main thread crashed, 128+n forced by signal n.`,
  options,
  optionGroups,
  async run(context) {
    const predecessor = findPredecessor();
    try {
      return await serve(context, predecessor);
    } catch (error) {
      if (predecessor !== undefined) await tellPredecessor(describeError(error));
      throw error;
    }
  },
};

async function serve(context: CommandContext, predecessor: Predecessor | undefined): Promise<Ending> {
  const { given, positionals } = parseArguments(options, context.argv);
  const config = resolveConfig(given as ServeOptions, { env: context.env, naming: "flag" });
  for (const [name, meant] of misspeltVariables(options, context.env)) {
    context.err(`sluice: the environment has ${name}, which is no option; did you mean ${meant}?\n`);
  }
  leaveOnCrash(createLogger({ level: config.logLevel, format: config.logFormat }));
  const modules = positionals.length === 0 ? [ledgerWord] : positionals;
  return serveUntilStopped(modules, given as ServeOptions, config, context, predecessor);
}

async function serveUntilStopped(
  modules: readonly string[],
  given: ServeOptions,
  config: Config,
  context: CommandContext,
  predecessor: Predecessor | undefined,
): Promise<Ending> {
  // Loaded here, so that the other commands start fast.
  const { serveInSuccession } = await import("../server/serve-in-succession.ts");
  const succession = { predecessor, startSuccessor };
  const starting = serveInSuccession(
    modules.map(modulePath),
    { ...given, signals: true, hup: config.hup },
    succession,
  );
  // Calling it has added its listeners.
  context.handOverSignals();
  let server: Server;
  try {
    server = await starting;
  } catch (error) {
    context.err(`sluice: ${describeError(error)}\n`);
    if (predecessor !== undefined) await tellPredecessor(describeError(error));
    // A worker may sit in native code while it makes its handler.
    return { code: exitCodeOfError(error), threadsLeft: true };
  }
  if (server.addresses !== undefined) {
    context.err(welcome(server.addresses, modules[0]!, config));
  }
  const report = await server.stopped;
  const ending = { code: report.exitCode, threadsLeft: report.unterminatedThreads > 0 };
  return report.outcome === "forced" ? ending : { ...ending, lastLinesMs: lastLinesMs(report) };
}

/**
 * How long the report may wait for a log reader that stands still: it is part of the contract, and so is `grace`. A reader
 * that is stuck for good must not take all of that.
 */
function lastLinesMs({ plan, drainMs }: DrainReport): number {
  const leftMs = plan === null ? 0 : plan.graceMs - drainMs - exitMs;
  return Math.min(Math.max(leftMs, leastLastLinesMs), mostLastLinesMs);
}
