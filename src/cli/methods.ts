/** `sluice methods`: what can be called of a service, with its types. */
import { parseArguments } from "../config/arguments.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { readOptions } from "../config/read-options.ts";
import { type Command, UsageError } from "./command.ts";
import { endWith, exitCodes } from "./exit.ts";
import type { EnumIdl, FieldIdl, MethodIdl, ServiceIdl } from "./idl.ts";

const methodsOptions = {
  json: { kind: "flag", fallback: false, help: "as JSON" },
} as const satisfies Record<string, OptionSpec>;

/** The command. */
export const methodsCommand: Command = {
  name: "methods",
  usage: "MODULE",
  summary: "lists the methods of a service with their types",
  description: `Lists the methods of the service that MODULE declares (the word ledger stands for the reference ledger), and the
structs, exceptions and enums that they use. No server is asked. Typedefs show as what they stand for. Where the
generated code has no .d.ts files beside it, enums show as i32, and what is optional is not told; code that was generated
without es6 tells neither defaults nor what is required.`,
  options: methodsOptions,
  async run(context) {
    const { given, positionals } = parseArguments(methodsOptions, context.argv);
    const [module, ...more] = positionals;
    if (module === undefined || more.length > 0) {
      throw new UsageError("write: sluice methods MODULE, for example: sluice methods ledger");
    }
    const read = readOptions(methodsOptions, given, { env: context.env, naming: "flag" });
    // Loaded here, for the thrift package takes longer to load than all else.
    const { loadNamedService } = await import("./named-service.ts");
    const { describeIdl } = await import("./idl.ts");
    const { name, service } = await loadNamedService(module, "sluice methods MODULE");
    const idl = describeIdl(service);
    context.out(read.flag("json") ? `${JSON.stringify({ name, ...idl }, null, 2)}\n` : showIdl(name, idl));
    return endWith(exitCodes.done);
  },
};

function showIdl(service: string, { methods, structs, enums }: ServiceIdl): string {
  const lines = [`service ${service}`, ...methods.map((method) => `  ${showMethod(method)}`)];
  for (const { name, fields } of structs) {
    lines.push(
      "",
      `struct ${name}`,
      ...showTable(fields.map((field) => [field.name, field.type, showPresence(field, enums)])),
    );
  }
  for (const { name, values } of enums) {
    lines.push("", `enum ${name}`, ...showTable(Object.entries(values)));
  }
  return `${lines.join("\n")}\n`;
}

function showTable(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  return rows.map((row) =>
    `  ${row.map((cell, column) => String(cell).padEnd(widths[column]!)).join("  ")}`.trimEnd(),
  );
}

/** `required`, `optional`, `= 7`, `= RED`, or nothing. */
function showPresence({ type, presence, default: value }: FieldIdl, enums: readonly EnumIdl[]): string {
  if (value === undefined) return presence ?? "";
  const values = enums.find(({ name }) => name === type)?.values ?? {};
  const name = Object.keys(values).find((key) => values[key] === value);
  return `= ${name ?? JSON.stringify(value)}`;
}

function showMethod({ name, oneway, result, parameters, throws }: MethodIdl): string {
  const list = parameters.map((parameter) => `${parameter.type} ${parameter.name}`).join(", ");
  const declared = throws.length === 0 ? "" : ` throws ${throws.join(", ")}`;
  return `${oneway ? "oneway " : ""}${result} ${name}(${list})${declared}`;
}
