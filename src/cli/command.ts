/** What a command of the command line is made of. */
import type { OptionSpec } from "../config/option-kinds.ts";
import type { Ending } from "./exit.ts";

/** What a command runs with; tests give their own. */
export interface CommandContext {
  /** The command line behind the command's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to stdout, as it is. */
  readonly out: (text: string) => void;
  /** Writes to stderr, as it is. */
  readonly err: (text: string) => void;
  /** Whether stdout is a terminal that can rewrite its lines. */
  readonly terminal: boolean;
  /** Hands signals that came before anybody listened for them to those who listen now. */
  readonly handOverSignals: () => void;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** What stands behind the name in a usage line. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says between usage and options. */
  readonly description: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly optionGroups?: Readonly<Record<string, string | undefined>>;
  /** @throws {OptionError} and {@link UsageError} for what the user must write differently */
  run(context: CommandContext): Promise<Ending>;
}

/** The command line can't be understood; the message is one line that says how to write it. */
export class UsageError extends Error {
  readonly code = "SLUICE_USAGE";
  override readonly name = "UsageError";
}
