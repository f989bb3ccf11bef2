/** The documents' links to each other, to files and to headings lead somewhere. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { documents, root } from "../../process/docs/code-blocks.ts";

interface Link {
  readonly from: string;
  /** Relative to the repository; the document itself for a bare anchor. */
  readonly to: string;
  readonly anchor: string | undefined;
}

/** Without code, in which brackets mean something else. */
function prose(document: string): string {
  const text = readFileSync(join(root, document), "utf8");
  return text.replace(/^\s*(`{3,})[\s\S]*?^\s*\1$/gm, "").replace(/`[^`\n]*`/g, "");
}

function linksOf(document: string): readonly Link[] {
  const targets = prose(document).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm);
  return [...targets]
    .map(([, inline, defined]) => (inline ?? defined)!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split("#");
      return { from: document, to: path === "" ? document : join(dirname(document), path!), anchor };
    });
}

/** The anchors that a page's headings get: as GitHub makes them, a number behind what is there already. */
function anchorsOf(document: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const text = readFileSync(join(root, document), "utf8").replace(/^(`{3,})[\s\S]*?^\1$/gm, "");
  for (const [, heading] of text.matchAll(/^#+ (.*)$/gm)) {
    const plain = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let anchor = plain;
    for (let more = 1; anchors.has(anchor); more++) anchor = `${plain}-${more}`;
    anchors.add(anchor);
  }
  return anchors;
}

describe("the documents", () => {
  const links = documents().flatMap(linksOf);

  test("link to files that are there", () => {
    assert.ok(links.length > 50);
    const dead = links.filter(({ to }) => !existsSync(join(root, to)));
    assert.deepEqual(
      dead.map(({ from, to }) => `${from} → ${to}`),
      [],
    );
  });

  test("in the package link to what the package has", () => {
    const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
    const packed = [...files, "README.md", "LICENSE"];
    const isPacked = (path: string): boolean =>
      packed.some((entry) => path === entry || path.startsWith(`${entry}/`));
    const dead = links.filter(({ from, to }) => isPacked(from) && !isPacked(to));
    assert.deepEqual(
      dead.map(({ from, to }) => `${from} → ${to}`),
      [],
    );
  });

  test("link to headings that are there", () => {
    const dead = links
      .filter(({ to, anchor }) => anchor !== undefined && statSync(join(root, to)).isFile())
      .filter(({ to, anchor }) => !anchorsOf(to).has(anchor!));
    assert.deepEqual(
      dead.map(({ from, to, anchor }) => `${from} → ${to}#${anchor}`),
      [],
    );
  });

  test("are all reached from the README, those of tests and templates apart", () => {
    const reached = new Set(["README.md"]);
    for (const document of reached) {
      for (const { to } of linksOf(document)) {
        const page = to.endsWith(".md") ? to : join(to, "README.md");
        if (existsSync(join(root, page))) reached.add(page);
      }
    }
    const lost = documents().filter(
      (document) => !reached.has(document) && !/^(?:test|templates)\//.test(document),
    );
    assert.deepEqual(lost, []);
  });

  test("cite a source for every marker, and use every source", () => {
    const text = prose("docs/comparison.md");
    const defined = new Set([...text.matchAll(/^\[([A-Z]\d+)\]: /gm)].map(([, name]) => name));
    const used = new Set([...text.matchAll(/\[([A-Z]\d+)\](?!:)/g)].map(([, name]) => name));
    assert.deepEqual([...used].sort(), [...defined].sort());
  });
});
