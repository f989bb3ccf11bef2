/**
 * Every code block of the documents does what it shows. What is to be done with a block follows from its language, the
 * comment before it and the tables of docs/provisions.ts; a block that nobody has provided for fails.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type CodeBlock, codeBlocks, documents, type Place, parseBlocks, root } from "./docs/code-blocks.ts";
import { given, notRun, treatmentOf } from "./docs/provisions.ts";
import { Session } from "./docs/session.ts";

const all = documents().map((document) => ({ document, blocks: codeBlocks(document) }));
const where = ({ document, line }: CodeBlock): string => `${document}:${line}`;

describe("the code blocks of the documents", () => {
  test("are all provided for", () => {
    assert.ok(all.flatMap(({ blocks }) => blocks).length > 40);
    const unknown = all
      .flatMap(({ blocks }) => blocks)
      .filter((block) => treatmentOf(block) === undefined)
      .map((block) => `${where(block)}: what is to be done with the language "${block.language}"?`);
    assert.deepEqual(unknown, []);
  });

  test("are read with what is said of them", () => {
    const markdown = [
      "## Heading",
      "```sh",
      "ls",
      "```",
      "Text.",
      "```ts",
      "// a/b.ts",
      "```",
      "<!-- docs: file c.json -->",
      "",
      "````json",
      "```",
      "````",
    ].join("\n");
    const seen = parseBlocks("x.md", markdown).map(({ line, language, text, heading, file }) =>
      [line, language, text, heading, file].join(" "),
    );
    assert.deepEqual(seen, [
      "3 sh ls Heading ",
      "7 ts // a/b.ts Heading a/b.ts",
      "12 json ``` Heading c.json",
    ]);
    assert.throws(() => parseBlocks("x.md", "```sh\nls"), /x\.md:1: this code block has no end/);
  });

  test("leave out no command that is in no document any more", () => {
    const lines = all.flatMap(({ blocks }) => blocks.flatMap(({ text }) => text.split("\n")));
    for (const { command } of notRun)
      assert.ok(
        lines.some((line) => command.test(line)),
        String(command),
      );
    for (const document of Object.keys(given)) assert.ok(existsSync(`${root}${document}`), document);
  });

  for (const { document, blocks } of all) {
    const own = blocks.filter((block) => !["elsewhere", "prose", undefined].includes(treatmentOf(block)));
    if (own.length === 0) continue;
    test(`of ${document} do what they show`, { skip: missingPeer(own) }, (t) => follow(t, document, own));
  }
});

/** Does what a document shows, from its top to its end. */
async function follow(t: TestContext, document: string, blocks: readonly CodeBlock[]): Promise<void> {
  const session = new Session(t);
  const { files = {}, serving } = given[document] ?? {};
  for (const [file, text] of Object.entries(files)) await session.write("project", file, text);
  if (serving !== undefined) await session.type("checkout", serving.start);
  for (const block of blocks) {
    try {
      await followBlock(session, block);
    } catch (error) {
      throw new Error(`${where(block)}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
  if (serving !== undefined) await session.type("checkout", serving.end);
  await session.end();
}

async function followBlock(session: Session, block: CodeBlock): Promise<void> {
  const { document, heading, text, line } = block;
  const { project, beforeTypes } = given[document] ?? {};
  const place = heading === project ? "project" : "checkout";
  switch (treatmentOf(block)) {
    case "typed": {
      const commands = text.split("\n").filter((line) => !notRun.some(({ command }) => command.test(line)));
      await session.type(place, commands.join("\n"));
      break;
    }
    case "conversation":
      assert.match(await session.converse(place, text), patternOf(text));
      break;
    case "program": {
      const file = block.file ?? `block-${line}.py`;
      await session.write(place, file, text);
      await session.type(place, `python3 ${file}`);
      break;
    }
    case "checked": {
      const file = block.file ?? `block-${line}.ts`;
      if (beforeTypes !== undefined) await session.type(place, beforeTypes);
      await session.write(place, file, text);
      await session.checkTypes(place, file);
      break;
    }
    case "file":
      await writeOrCompare(session, place, block);
      break;
    case "json":
      JSON.parse(text);
  }
}

async function writeOrCompare(
  session: Session,
  place: Place,
  { document, text, file }: CodeBlock,
): Promise<void> {
  assert.ok(file, "needs a name: a first line with it, or <!-- docs: file NAME -->");
  const known = [file, join(dirname(document), file)].find((path) => existsSync(join(root, path)));
  if (known === undefined) await session.write(place, file, text);
  else
    assert.ok(readFileSync(join(root, known), "utf8").includes(text.trimEnd()), `${known} reads differently`);
}

/** `…` stands for anything within a line. */
function patternOf(text: string): RegExp {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return new RegExp(`^${lines.map((line) => line.split("…").map(escaped).join(".*")).join("\n")}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Why a document can't be followed here. */
function missingPeer(blocks: readonly CodeBlock[]): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1") return false;
  const peers = [
    { needs: /\bthrift --gen\b/, command: ["thrift", "--version"], name: "Thrift compiler" },
    {
      needs: /^from thrift\b/m,
      command: ["/usr/bin/python3", "-c", "import thrift"],
      name: "Thrift for Python",
    },
  ];
  for (const { needs, command, name } of peers) {
    if (!blocks.some(({ text }) => needs.test(text))) continue;
    const [file, ...args] = command as [string, ...string[]];
    if (spawnSync(file, args).status !== 0) return `no ${name} here`;
  }
  return false;
}
