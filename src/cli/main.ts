/** The command line's entry: picks the command, runs it, and turns every end into an exit code. */
import { readFileSync } from "node:fs";
import { nearest } from "../config/nearest.ts";
import { callCommand } from "./call.ts";
import { checkGraceCommand } from "./check-grace.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { describeError, exitCodeOfError } from "./describe-error.ts";
import { drainCommand } from "./drain.ts";
import { type Ending, endWith, exitCodes, leave } from "./exit.ts";
import { genCommand } from "./gen.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { initCommand } from "./init.ts";
import { ledgerCommand } from "./ledger.ts";
import { methodsCommand } from "./methods.ts";
import { serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import { takeoverCommand } from "./takeover.ts";
import { undrainCommand } from "./undrain.ts";

const commands: readonly Command[] = [
  serveCommand,
  callCommand,
  methodsCommand,
  statusCommand,
  drainCommand,
  undrainCommand,
  takeoverCommand,
  checkGraceCommand,
  initCommand,
  genCommand,
  ledgerCommand,
];

/** Runs the command line of this process and ends it. @param handOverSignals as in {@link CommandContext} */
export async function main(handOverSignals: () => void): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    // `sluice --help | head -1`: a reader that has read enough is no error.
    stream.on("error", () => {});
  }
  const context = {
    env: process.env,
    out: (text: string) => void process.stdout.write(text),
    err: (text: string) => void process.stderr.write(text),
    terminal: process.stdout.isTTY === true,
    handOverSignals,
  };
  return leave(await run(process.argv.slice(2), context));
}

/** Runs one command line. Never throws: each error is told on stderr, in one line if the user can do something. */
export async function run(
  argv: readonly string[],
  surroundings: Omit<CommandContext, "argv">,
): Promise<Ending> {
  try {
    return await dispatch(argv, surroundings);
  } catch (error) {
    surroundings.err(`sluice: ${describeError(error)}\n`);
    return endWith(exitCodeOfError(error));
  }
}

async function dispatch(
  argv: readonly string[],
  surroundings: Omit<CommandContext, "argv">,
): Promise<Ending> {
  const [name, ...rest] = argv;
  switch (name) {
    case undefined:
      surroundings.err(generalHelp(commands));
      return endWith(exitCodes.badOption);
    case "--version":
    case "-v":
      surroundings.out(`${version()}\n`);
      return endWith(exitCodes.done);
    case "help":
    case "--help":
    case "-h":
      surroundings.out(rest[0] === undefined ? generalHelp(commands) : commandHelp(find(rest[0])));
      return endWith(exitCodes.done);
  }
  const command = find(name);
  if (asksForHelp(rest)) {
    surroundings.out(commandHelp(command));
    return endWith(exitCodes.done);
  }
  return command.run({ ...surroundings, argv: rest });
}

function find(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = commands.map((candidate) => candidate.name);
    const meant = nearest(name, names);
    throw new UsageError(
      `there is no command ${name}; ${meant === undefined ? `give one of ${names.join(", ")}` : `did you mean ${meant}?`}`,
    );
  }
  return command;
}

/** Also with an unknown option beside it: whoever asks for help does not know them yet. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some((argument) => argument === "--help" || argument === "-h");
}

function version(): string {
  const description = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(description) as { readonly version: string }).version;
}
