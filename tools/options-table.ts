/**
 * Writes the table of options into README.md, from the one table that flags, environment and checks derive from.
 * With `--check` it only says whether README.md is current.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type OptionSpec, placeholder, showDefault } from "../src/config/option-kinds.ts";
import { environmentName, flagName, optionGroups, options } from "../src/config/options.ts";

const readme = new URL("../README.md", import.meta.url);
const begin = "<!-- options: written by `make docs` -->";
const end = "<!-- end of options -->";

const text = readFileSync(readme, "utf8");
const from = text.indexOf(begin);
const to = text.indexOf(end);
if (from < 0 || to < from) {
  throw new Error(`README.md needs the lines ${begin} and ${end}; the table goes between them`);
}
const current = `${text.slice(0, from)}${begin}\n${table()}\n${text.slice(to)}`;
if (!process.argv.includes("--check")) {
  writeFileSync(readme, current);
} else if (current !== text) {
  console.error("README.md does not have the options as they are; run: make docs");
  process.exitCode = 1;
}

function table(): string {
  const rows: string[] = ["| flag | default | meaning |", "|---|---|---|"];
  for (const [key, spec] of Object.entries(options)) {
    const group = (optionGroups as Readonly<Record<string, string | undefined>>)[key];
    if (group !== undefined) rows.push(`| **${group.replace(/ \(.*/, "")}** | | |`);
    rows.push(`| ${[`\`${flag(key, spec)}\``, showDefault(spec), spec.help].map(cell).join(" | ")} |`);
  }
  return [
    `Each flag is an environment variable too: \`${flagName("adminPort")}\` is \`${environmentName("adminPort")}\`;`,
    "in a program it is `adminPort`. A flag wins over the environment.",
    "",
    ...rows,
  ].join("\n");
}

function flag(key: string, spec: OptionSpec): string {
  return `${flagName(key)} ${placeholder(spec)}`.trimEnd();
}

/** A bar would end the cell, in code too. */
function cell(words: string): string {
  return words.replaceAll("|", "\\|");
}
