/** What becomes of the documents' code blocks: by whom they are run, what is not run, what they presume. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type CodeBlock, root } from "./code-blocks.ts";

/** Blocks that another test runs. It counts only as long as it is there and names the document. */
interface Elsewhere {
  readonly document: RegExp;
  readonly languages: string;
  readonly heading?: string;
  readonly comment?: RegExp;
  readonly by: string;
}

const elsewhere: readonly Elsewhere[] = [
  { document: /^docs\/tour\.md$/, languages: "server console", by: "test/process/tour.test.ts" },
  { document: /^docs\/metrics\.md$/, languages: "promql", by: "test/unit/admin/metrics-docs.test.ts" },
  {
    document: /^docs\/clients\.md$/,
    languages: "python cpp go java ts",
    comment: /^recipe /,
    by: "test/interop/recipes.test.ts",
  },
  {
    document: /^docs\/client\.md$/,
    languages: "ts",
    comment: /^examples\//,
    by: "test/process/client-example.test.ts",
  },
  // Signatures, as the compiler has checked them in src.
  { document: /^docs\/api\//, languages: "ts", by: "tools/api-reference.ts" },
  {
    document: /^examples\/.*\/README\.md$/,
    languages: "sh text",
    by: "test/process/example-readmes.test.ts",
  },
  {
    document: /^README\.md$/,
    heading: "A service of your own",
    languages: "sh",
    by: "test/package/readme.test.ts",
  },
];

function runsElsewhere({ document, language, comment, heading }: CodeBlock): boolean {
  const fits = (entry: Elsewhere): boolean =>
    entry.document.test(document) &&
    entry.languages.split(" ").includes(language) &&
    (entry.heading ?? heading) === heading &&
    (entry.comment?.test(comment) ?? true);
  return elsewhere.some((entry) => fits(entry) && names(entry.by, document));
}

/** Whether a test names a document: by its path, or an example's by the name of its folder. */
function names(test: string, document: string): boolean {
  if (!existsSync(join(root, test))) return false;
  const text = readFileSync(join(root, test), "utf8");
  return text.includes(document) || text.includes(`"${basename(dirname(document))}"`);
}

/** Commands that are not run, and why. */
export const notRun: readonly { command: RegExp; why: string }[] = [
  { command: /^make bench\b(?!.*--list)/, why: "measures for minutes, and builds other servers" },
  { command: /^make check\b/, why: "is run beside the tests, by .ci/run" },
  { command: /^kubectl (?:create|apply)\b/, why: "needs a cluster" },
];

/** What a document presumes that its reader has. */
export interface Given {
  /** The heading of the part that is for a project of the reader's own, with the package installed. */
  readonly project?: string;
  /** Files in that project. */
  readonly files?: Readonly<Record<string, string>>;
  /** What is typed before types are checked. */
  readonly beforeTypes?: string;
  /** What runs in the checkout, and how it ends. */
  readonly serving?: { readonly start: string; readonly end: string };
}

export const given: Readonly<Record<string, Given>> = {
  "README.md": {
    project: "A service of your own",
    files: { "calc.thrift": "service Calc { i32 add(1: i32 a, 2: i32 b) }" },
    beforeTypes: "[ -d gen ] || { mkdir gen && thrift --gen js:node,ts,es6 -out gen calc.thrift; }",
  },
  "docs/deploy.md": { serving: { start: "sluice serve --workers 2", end: "sluice drain" } },
};

/**
 * - `elsewhere`: another test runs it, `prose`: it is nothing that can be run
 * - `typed`: its lines are commands that succeed
 * - `conversation`: lines after `$` are commands, and what follows is what they write; `…` stands for anything
 * - `program`: it runs to its end, `checked`: its types are right, `json`: it can be parsed
 * - `file`: it is written for what comes later; what the repository has under that name must contain it
 */
export type Treatment =
  | "elsewhere"
  | "prose"
  | "typed"
  | "conversation"
  | "program"
  | "checked"
  | "json"
  | "file";

const byLanguage: Readonly<Record<string, Treatment>> = {
  text: "prose",
  sh: "typed",
  console: "conversation",
  python: "program",
  ts: "checked",
  thrift: "file",
  json: "json",
};

/** What is to be done with a block; undefined when nobody has said so. */
export function treatmentOf(block: CodeBlock): Treatment | undefined {
  if (runsElsewhere(block)) return "elsewhere";
  return block.comment.startsWith("docs: file ") ? "file" : byLanguage[block.language];
}
