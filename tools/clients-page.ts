/**
 * Writes into docs/clients.md what its tests know: the recipes, as they are run, and which cells were called and gave
 * right answers. With `--check` it only says whether the page is current.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type Cell, gapOf, type Library, libraries, nameOf, type SocketKind } from "../test/interop/cells.ts";
import { recipes, shownPart } from "../test/interop/recipes.ts";
import { type Passed, readRecord } from "../test/interop/run-cells.ts";

const page = new URL("../docs/clients.md", import.meta.url);
const socketNames: Readonly<Record<SocketKind, string>> = { tcp: "TCP", tls: "TLS", unix: "Unix" };
const sockets = Object.keys(socketNames) as SocketKind[];

const text = readFileSync(page, "utf8");
const record = readRecord();
let current = replaced(text, "cells", libraries.map((library) => tableOf(library, record)).join("\n\n"));
for (const library of libraries) {
  const { language } = recipes[library.id];
  current = replaced(current, `recipe ${library.id}`, `\`\`\`${language}\n${shownPart(library.id)}\n\`\`\``);
}
if (!process.argv.includes("--check")) {
  writeFileSync(page, current);
} else if (current !== text) {
  console.error("docs/clients.md does not have recipes and cells as they are; run: make docs");
  process.exitCode = 1;
}

/** The page with what is between the two comments of a part replaced. */
function replaced(text: string, part: string, content: string): string {
  const begin = `<!-- ${part}: written by \`make docs\` -->`;
  const end = `<!-- end of ${part} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(
      `docs/clients.md needs the lines ${begin} and ${end}; what belongs there goes between them`,
    );
  }
  return `${text.slice(0, from)}${begin}\n${content}\n${text.slice(to)}`;
}

/** What a library can call, as a table of protocols and transports. */
function tableOf(library: Library, record: Passed): string {
  const passed = new Set(record[library.id]);
  const notes: string[] = [];
  const rows = library.protocols.map((protocol) => {
    const cells = library.transports.map((transport) =>
      cellOf(library, passed, notes, { protocol, transport }),
    );
    return `| ${[protocol, ...cells].join(" | ")} |`;
  });
  return [
    `**${library.label}**: ${passed.size} cells`,
    "",
    `| | ${library.transports.join(" | ")} |`,
    `|---|${library.transports.map(() => "---|").join("")}`,
    ...rows,
    "",
    ...notes.map((why, at) => `- ${at + 1}: ${why}.`),
    ...(library.notes ?? []).map((note) => `- ${note}`),
  ]
    .join("\n")
    .trimEnd();
}

/** The sockets that a protocol and transport were called over, and the numbers of the reasons why not over all. */
function cellOf(
  library: Library,
  passed: ReadonlySet<string>,
  notes: string[],
  of: Omit<Cell, "socket">,
): string {
  const words: string[] = [];
  const reasons = new Set<number>();
  for (const socket of sockets) {
    const cell = { ...of, socket };
    const gap = gapOf(library, cell);
    if (gap !== undefined) reasons.add(numberOf(notes, gap.why));
    else words.push(passed.has(nameOf(cell)) ? socketNames[socket] : `not ${socketNames[socket]}`);
  }
  const numbers = [...reasons].map((number) => `<sup>${number}</sup>`).join(" ");
  return `${words.join(", ") || "–"}${numbers === "" ? "" : ` ${numbers}`}`;
}

function numberOf(notes: string[], why: string): number {
  const at = notes.indexOf(why);
  return at >= 0 ? at + 1 : notes.push(why);
}
