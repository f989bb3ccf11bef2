/** `sluice init`: a new service that runs. */
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parseArguments } from "../config/arguments.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { readOptions } from "../config/read-options.ts";
import { type Command, UsageError } from "./command.ts";
import { endWith, exitCodes } from "./exit.ts";
import { givenSource, ownSource, type PackageSource } from "./own-package.ts";
import { writeService } from "./scaffold.ts";
import { type ServiceNames, serviceNames } from "./service-names.ts";
import { shellWord } from "./shell-word.ts";

const initOptions = {
  name: {
    kind: "text",
    fallback: undefined,
    placeholder: "NAME",
    form: "a name of letters from A to Z and digits, such as PriceList",
    accepts: (text) => /^[A-Za-z][\w -]*$/.test(text),
    defaultText: "that of the folder",
    help: "the service's name",
  },
  package: {
    kind: "text",
    fallback: undefined,
    placeholder: "SPEC",
    form: "a version, a packed package or anything else that npm install takes",
    accepts: (text) => text.trim() !== "" && !/\s/.test(text),
    defaultText: "what this sluice was installed from",
    help: "the thrift-sluice that the service depends on",
  },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const initCommand: Command = {
  name: "init",
  usage: "DIR",
  summary: "writes a new service that runs: IDL, handler, test, Dockerfile",
  description: `Writes a new service into the folder DIR, which must not exist or be empty: its IDL and the code that the Thrift
compiler makes of it, a handler in TypeScript with a test, package.json, tsconfig.json, Makefile, Dockerfile and
compose.yaml. It runs as it is, and no Thrift compiler is needed before the IDL is changed.
A packed thrift-sluice (a .tgz) is copied into DIR/vendor, so that it is in the repository and in the image too.`,
  options: initOptions,
  async run(context) {
    const { given, positionals } = parseArguments(initOptions, context.argv);
    const [dir, ...more] = positionals;
    if (dir === undefined || more.length > 0) {
      throw new UsageError("write: sluice init DIR, for example: sluice init calc");
    }
    const read = readOptions(initOptions, given, { env: context.env, naming: "flag" });
    const folder = resolve(dir);
    const name = read.optionalText("name");
    const names =
      name === undefined
        ? serviceNames(basename(folder), "the folder's name")
        : serviceNames(name, "the name");
    const source = sourceOf(read.optionalText("package"));
    checkEmpty(folder, dir);
    if (source.kind === "checkout" || source.kind === "installed") {
      context.err(`packing ${source.path}…\n`);
    }
    mkdirSync(folder, { recursive: true });
    writeService(folder, names, source);
    context.out(nextSteps(dir, folder, names));
    return endWith(exitCodes.done);
  },
};

function sourceOf(given: string | undefined): PackageSource {
  const source = given === undefined ? ownSource() : givenSource(given);
  if (source === undefined) {
    throw new UsageError(
      `--package ${given}: there is no such file; give a packed thrift-sluice or a version`,
    );
  }
  return source;
}

/** A repository that has just been made counts as empty. */
function checkEmpty(folder: string, dir: string): void {
  if (!existsSync(folder)) {
    return;
  }
  if (!statSync(folder).isDirectory()) {
    throw new UsageError(`${dir} is a file; give a folder that is empty or not there yet`);
  }
  const found = readdirSync(folder).filter((name) => name !== ".git");
  if (found.length > 0) {
    const shown = found.length > 3 ? `${found.slice(0, 3).join(", ")}, …` : found.join(", ");
    throw new UsageError(`${dir} is not empty (${shown}); give a folder that is empty or not there yet`);
  }
}

function nextSteps(dir: string, folder: string, names: ServiceNames): string {
  const enter = folder === process.cwd() ? "" : `  cd ${shellWord(dir.startsWith("-") ? `./${dir}` : dir)}\n`;
  return `The service ${names.service} is written. idl/${names.file}.thrift says what it can do, service.ts does it. Next:

${enter}  npm install
  npm start

and in a second terminal:

${enter}  npx thrift-sluice call service.ts add 1 2
  npx thrift-sluice drain

After a change in idl/: npm run gen, which needs the Thrift compiler. README.md and make help have the rest.
`;
}
