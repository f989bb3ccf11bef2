/**
 * Every code block of the documents does what it shows. What is to be done with a block follows from its language and
 * from the comment before it (docs/code-blocks.ts); a block that nobody has provided for fails.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type CodeBlock, codeBlocks, documents, parseBlocks, root } from "./docs/code-blocks.ts";
import { Session } from "./docs/session.ts";

/** Blocks that another test runs, which has to name the document. */
const elsewhere: readonly { document: string; languages: string; comment?: RegExp; by: string }[] = [
  { document: "docs/tour.md", languages: "server console", by: "test/process/tour.test.ts" },
  { document: "docs/metrics.md", languages: "promql", by: "test/unit/admin/metrics-docs.test.ts" },
  {
    document: "docs/clients.md",
    languages: "python cpp go java ts",
    comment: /^recipe /,
    by: "test/interop/recipes.test.ts",
  },
  {
    document: "docs/client.md",
    languages: "ts",
    comment: /^examples\//,
    by: "test/process/client-example.test.ts",
  },
  // Signatures, as the compiler has checked them in src.
  { document: "docs/api/server.md", languages: "ts", by: "tools/api-reference.ts" },
  { document: "docs/api/client.md", languages: "ts", by: "tools/api-reference.ts" },
];

/** Commands that are not run, and why. */
const notRun: readonly { command: RegExp; why: string }[] = [
  { command: /^make bench\b(?!.*--list)/, why: "measures for minutes, and builds other servers" },
  { command: /^make check\b/, why: "is run beside the tests, by .ci/run" },
  { command: /^kubectl (?:create|apply)\b/, why: "needs a cluster" },
];

/** What a document presumes that its reader has. */
interface Given {
  /** Files in the reader's project. */
  readonly files?: Readonly<Record<string, string>>;
  /** What runs in the checkout, and how it ends. */
  readonly serving?: { readonly start: string; readonly end: string };
}

const given: Readonly<Record<string, Given>> = {
  "README.md": { files: { "calc.thrift": "service Calc { i32 add(1: i32 a, 2: i32 b) }" } },
  "docs/deploy.md": { serving: { start: "sluice serve --workers 2", end: "sluice drain" } },
};

/**
 * - `elsewhere`: another test runs it, `prose`: it is nothing that can be run
 * - `typed`: its lines are commands that succeed
 * - `conversation`: lines after `$` are commands, and what follows is what they write; `…` stands for anything
 * - `program`: it runs to its end, `checked`: its types are right, `json`: it can be parsed
 * - `file`: it is written for what comes later; what the repository has under that name must contain it
 */
type Treatment = "elsewhere" | "prose" | "typed" | "conversation" | "program" | "checked" | "json" | "file";

const byLanguage: Readonly<Record<string, Treatment>> = {
  text: "prose",
  sh: "typed",
  console: "conversation",
  python: "program",
  ts: "checked",
  thrift: "file",
  json: "json",
};

/** Runs the examples' READMEs, those that it names. */
const examplesTest = "test/process/example-readmes.test.ts";

function isTypedExample(document: string): boolean {
  const name = /^examples\/([\w-]+)\/README\.md$/.exec(document)?.[1];
  if (name === undefined || !existsSync(join(root, examplesTest))) return false;
  return readFileSync(join(root, examplesTest), "utf8").includes(`"${name}"`);
}

function treatmentOf(block: CodeBlock): Treatment | undefined {
  const { document, language, comment } = block;
  if ((language === "sh" || language === "text") && isTypedExample(document)) return "elsewhere";
  const other = elsewhere.find(
    (entry) =>
      entry.document === document &&
      entry.languages.split(" ").includes(language) &&
      (entry.comment?.test(comment) ?? true),
  );
  if (other !== undefined) return "elsewhere";
  return comment.startsWith("docs: file ") ? "file" : byLanguage[language];
}

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
      "<!-- docs: in project -->",
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
    const seen = parseBlocks("x.md", markdown).map(({ line, language, text, place, file }) =>
      [line, language, text, place, file].join(" "),
    );
    assert.deepEqual(seen, [
      "3 sh ls project ",
      "7 ts // a/b.ts project a/b.ts",
      "12 json ``` project c.json",
    ]);
    assert.throws(() => parseBlocks("x.md", "```sh\nls"), /x\.md:1: this code block has no end/);
  });

  test("are run elsewhere only where there is a test that names the document", () => {
    for (const { document, by } of elsewhere) {
      assert.ok(codeBlocks(document).length > 0, document);
      assert.ok(readFileSync(`${root}${by}`, "utf8").includes(document), `${by} does not name ${document}`);
    }
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
  const { place, text, line } = block;
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
      await session.write(place, file, text);
      await session.checkTypes(place, file);
      break;
    }
    case "file":
      await writeOrCompare(session, block);
      break;
    case "json":
      JSON.parse(text);
  }
}

async function writeOrCompare(session: Session, { document, place, text, file }: CodeBlock): Promise<void> {
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
