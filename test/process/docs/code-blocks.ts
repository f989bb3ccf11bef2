/**
 * The code blocks of the documents. A comment of its own line directly before a block says what it is:
 * `<!-- docs: file NAME -->`, the block is that file's content, or a part of it where the repository has such a file. A
 * first line `// NAME` says how the file of a program is called.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root: string = fileURLToPath(new URL("../../../", import.meta.url));

export interface CodeBlock {
  /** The document, relative to the repository. */
  readonly document: string;
  /** The number of its first line, from 1. */
  readonly line: number;
  /** What stands behind the backquotes; empty where nothing does. */
  readonly language: string;
  readonly text: string;
  /** The comment directly before it, without its brackets. */
  readonly comment: string;
  /** The heading above it, without its marks. */
  readonly heading: string;
  /** The file whose content it is. */
  readonly file: string | undefined;
}

/** Where commands run: a copy of the repository, or an empty project with the package installed. */
export type Place = "checkout" | "project";

/** All documents that people read: those that git knows, and those that it does not ignore. */
export function documents(): readonly string[] {
  const list = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", "*.md"], { cwd: root });
  const files = list.toString().split("\n").filter(Boolean);
  return files.filter((file) => existsSync(`${root}${file}`)).sort();
}

/** The code blocks of a document in their order. @throws when one is not closed */
export function codeBlocks(document: string): readonly CodeBlock[] {
  return parseBlocks(document, readFileSync(`${root}${document}`, "utf8"));
}

export function parseBlocks(document: string, markdown: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = "";
  let comment = "";
  let open: { readonly fence: string; readonly language: string; readonly line: number } | undefined;
  let lines: string[] = [];
  for (const [at, line] of markdown.split("\n").entries()) {
    if (open !== undefined) {
      if (line.trim() !== open.fence) {
        lines.push(line);
        continue;
      }
      const text = lines.join("\n");
      blocks.push({ document, ...open, text, comment, heading, file: fileOf(comment, text) });
      open = undefined;
      comment = "";
      continue;
    }
    const [, fence, language] = /^\s*(`{3,}|~{3,})(\S*)$/.exec(line) ?? [];
    if (fence !== undefined) {
      open = { fence, language: language!, line: at + 2 };
      lines = [];
    } else if (line.trim() !== "") {
      comment = /^<!-- (.*) -->$/.exec(line)?.[1] ?? "";
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    }
  }
  if (open !== undefined) throw new Error(`${document}:${open.line - 1}: this code block has no end`);
  return blocks;
}

function fileOf(comment: string, text: string): string | undefined {
  const told = /^docs: file (\S+)$/.exec(comment)?.[1];
  return told ?? /^(?:\/\/|#) ([\w./-]+\.\w+)$/.exec(text.split("\n")[0]!)?.[1];
}
