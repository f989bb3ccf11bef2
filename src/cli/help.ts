/** The texts of `--help`. */
import { describeOptions, describeUnits } from "../config/help-text.ts";
import type { Command } from "./command.ts";

/** The text of `sluice --help`. */
export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name, usage }) => name.length + usage.length + 1));
  const lines = commands.map(
    ({ name, usage, summary }) => `  sluice ${`${name} ${usage}`.padEnd(width)}  ${summary}`,
  );
  return `sluice: a Thrift RPC server that drains before it stops

${lines.join("\n")}

sluice help COMMAND lists the options of a command with units and defaults.

For a beginning, in two terminals:

  sluice serve
  sluice call ledger post '{"id":"e1","debit":"cash","credit":"rent","amount":1200}'
  sluice status --watch                        or look at http://127.0.0.1:9091/
  sluice drain

For a service of your own: sluice init DIR
`;
}

/** The text of `sluice help COMMAND`. */
export function commandHelp(command: Command): string {
  const { name, usage, description, options, optionGroups } = command;
  const names = Object.keys(options);
  // Of several words, if there is one; the one that containers set is the best.
  const example =
    names.find((name) => name === "adminHost") ?? names.find((name) => /[A-Z]/.test(name)) ?? names[0]!;
  return `usage: sluice ${name} [OPTION…] ${usage}

${description}

${describeOptions(options, optionGroups)}

${describeUnits(example)}
`;
}
