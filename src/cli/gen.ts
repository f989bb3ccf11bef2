/** `sluice gen`: has the Thrift compiler write the code of IDL. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArguments } from "../config/arguments.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { readOptions } from "../config/read-options.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { type Ending, endWith, exitCodes } from "./exit.ts";
import { checkModuleKind, keepGenerated } from "./generated-folder.ts";
import { compile, compilerOptions, findCompiler } from "./thrift-compiler.ts";

const genOptions = {
  out: {
    kind: "text",
    fallback: "gen",
    placeholder: "DIR",
    form: "a folder",
    accepts: (text) => text !== "",
    help: "where the code goes",
  },
  thrift: {
    kind: "text",
    fallback: "thrift",
    placeholder: "PATH",
    form: "a program",
    accepts: (text) => text !== "",
    defaultText: "thrift in PATH",
    help: "the Thrift compiler",
  },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const genCommand: Command = {
  name: "gen",
  usage: "[IDL…]",
  summary: "has the Thrift compiler write gen/ from idl/",
  description: `Calls the Thrift compiler with the options that Sluice and TypeScript need (--gen ${compilerOptions}) for the IDL files
that are named, and for what they include; with no name, for all of the folder idl, or else of this folder. Writes a
package.json beside the code, which says that it is CommonJS, and adds lines to it with which import { NAME } finds enums
and constants. Deletes nothing, and changes nothing when IDL is wrong.
Exits with 0 when the code is current, 1 when there is no compiler or it refuses the IDL, 2 for a mistake in the command.`,
  options: genOptions,
  async run(context) {
    const { given, positionals } = parseArguments(genOptions, context.argv);
    const read = readOptions(genOptions, given, { env: context.env, naming: "flag" });
    const files = positionals.length === 0 ? allIdl() : positionals;
    for (const file of files) {
      if (!existsSync(file) || !statSync(file).isFile()) {
        throw new UsageError(`${file}: there is no such file`);
      }
    }
    const out = read.text("out");
    checkModuleKind(out);
    return generate(files, out, read.text("thrift"), positionals.length === 0, context);
  },
};

function allIdl(): string[] {
  for (const folder of ["idl", "."]) {
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".thrift")) : [];
    if (names.length > 0) return names.sort().map((name) => join(folder, name));
  }
  throw new UsageError("there is no *.thrift in idl/ or here; name the IDL: sluice gen calc.thrift");
}

function generate(
  files: readonly string[],
  out: string,
  command: string,
  all: boolean,
  { err, out: tell }: CommandContext,
): Ending {
  const compiler = findCompiler(command);
  if (compiler.kind === "missing") {
    err(compiler.advice);
    return endWith(exitCodes.failed);
  }
  const made = mkdtempSync(join(tmpdir(), "sluice-gen-"));
  try {
    for (const file of files) {
      const { ok, told } = compile(command, file, made);
      err(told);
      if (!ok) {
        err(`sluice: the Thrift compiler refuses ${file}; ${out}/ is as it was\n`);
        return endWith(exitCodes.failed);
      }
    }
    const { written, current, strangers } = keepGenerated(made, out);
    tell(written.length === 0 ? `${out}/ is current: ${current} files\n` : `wrote ${written.join(", ")}\n`);
    if (all && strangers.length > 0) {
      err(
        `${strangers.join(", ")}: of no IDL here; if nobody needs ${strangers.length > 1 ? "them" : "it"}, delete ${strangers.length > 1 ? "them" : "it"}\n`,
      );
    }
    return endWith(exitCodes.done);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
