/**
 * Writes docs/api/server.md and docs/api/client.md from the docstrings of what the package exports. With `--check` it only says
 * whether the pages are current.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type ApiEntry, type ApiItem, type ApiMember, readApi } from "./api-model.ts";
import type { Doc } from "./doc-comments.ts";

const folder = new URL("../docs/api/", import.meta.url);

const entries = readApi();
const groups = { function: "Functions", class: "Classes", interface: "Interfaces", type: "Types" } as const;
/** The items of a page in its order. */
const pages = new Map(entries.map((entry) => [entry, inOrder(entry.items)]));
/** Where each exported name is described, page and anchor. A heading that differs only in case gets a number. */
const places = new Map<string, string>();
for (const [entry, items] of pages) {
  const seen = new Map<string, number>();
  for (const { name } of items) {
    const anchor = name.toLowerCase();
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    places.set(name, `${pageOf(entry)}#${anchor}${before === 0 ? "" : `-${before}`}`);
  }
}

const stale: string[] = [];
for (const entry of entries) {
  const file = new URL(pageOf(entry), folder);
  const page = pageText(entry);
  if (existsSync(file) && readFileSync(file, "utf8") === page) continue;
  stale.push(`docs/api/${pageOf(entry)}`);
  if (process.argv.includes("--check")) continue;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, page);
}
if (process.argv.includes("--check") && stale.length > 0) {
  console.error(`${stale.join(" and ")} not as the docstrings are; run: make docs`);
  process.exitCode = 1;
}

/** `server.md` for the package itself, otherwise the name of the entry. */
function pageOf({ specifier }: ApiEntry): string {
  return `${specifier.split("/")[1] ?? "server"}.md`;
}

function pageText(entry: ApiEntry): string {
  const parts = [
    `# ${entry.specifier}`,
    "<!-- Written by `make docs` from the docstrings in src: change them, not this page. -->",
  ];
  const byKind = Map.groupBy(pages.get(entry)!, ({ kind }) => kind);
  for (const [kind, items] of byKind) {
    parts.push(`**${groups[kind]}:** ${items.map(({ name }) => linked(name, entry)).join(" · ")}`);
  }
  for (const [kind, items] of byKind) {
    parts.push(`## ${groups[kind]}`, ...items.map((item) => itemText(item, entry)));
  }
  return `${parts.join("\n\n")}\n`;
}

function inOrder(items: readonly ApiItem[]): readonly ApiItem[] {
  const kinds = Object.keys(groups);
  return items.toSorted(
    (a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.name.localeCompare(b.name, "en"),
  );
}

function linked(name: string, from: ApiEntry): string {
  return `[${name}](${places.get(name)!.replace(pageOf(from), "")})`;
}

function itemText(item: ApiItem, entry: ApiEntry): string {
  const { name, kind, signature, doc, members, file } = item;
  const parts = [`### ${name}`, doc.text];
  // What an object type that is written out has is in the table.
  const head = kind === "type" && members.length > 0 ? `type ${name}` : signature;
  const says = head !== `class ${name}` && head !== `interface ${name}`;
  if (says) parts.push(`\`\`\`ts\n${head}\n\`\`\``);
  parts.push(...details(doc));
  if (members.length > 0) {
    parts.push(["| | type | |", "|---|---|---|", ...members.map(memberRow)].join("\n"));
  }
  const others = item.mentions.filter((other) => other !== name && places.has(other));
  const more = others.map((other) => linked(other, entry)).join(", ");
  parts.push(`${more === "" ? "" : `See ${more}. `}Source: \`${file}\`.`);
  return parts.filter(Boolean).join("\n\n");
}

/** Parameters, result and errors, as a list. */
function details({ params, returns, throws }: Doc): string[] {
  const lines = [
    ...Object.entries(params).map(([param, words]) => `- \`${param}\`: ${words}`),
    ...(returns === "" ? [] : [`- Returns: ${returns}`]),
    ...throws.map((words) => `- Throws ${errorWords(words)}`),
  ];
  return lines.length === 0 ? [] : [lines.join("\n")];
}

/** `{SomeError} when …` with the class as code. */
function errorWords(words: string): string {
  return words.replace(/^\{(\w+)\}/, "`$1`");
}

function memberRow({ name, type, optional, doc }: ApiMember): string {
  const words = [
    doc.text.replace(/\s+/g, " "),
    ...Object.entries(doc.params).map(([param, text]) => `\`${param}\`: ${text}.`),
    ...(doc.returns === "" ? [] : [`Returns ${doc.returns}.`]),
    ...doc.throws.map((text) => `Throws ${errorWords(text)}.`),
  ];
  return `| ${[`\`${name}${optional ? "?" : ""}\``, `\`${type}\``, words.join(" ")].map(cell).join(" | ")} |`;
}

/** A bar would end the cell, in code too. */
function cell(words: string): string {
  return words.replaceAll("|", "\\|");
}
