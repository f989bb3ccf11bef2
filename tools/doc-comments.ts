/** Docstrings in parts. */
import { type JSDoc, type JSDocableNode, Node } from "ts-morph";

/** A docstring in parts. Empty strings where there is none. */
export interface Doc {
  readonly text: string;
  readonly params: Readonly<Record<string, string>>;
  readonly returns: string;
  readonly throws: readonly string[];
}

export function docOf(node: JSDocableNode): Doc {
  const docs = node.getJsDocs();
  const last = docs.at(-1);
  return last === undefined ? { text: "", params: {}, returns: "", throws: [] } : partsOf(last);
}

function partsOf(doc: JSDoc): Doc {
  const params: Record<string, string> = {};
  const throws: string[] = [];
  let returns = "";
  for (const tag of doc.getTags()) {
    const comment = oneLine(tag.getCommentText() ?? "");
    if (Node.isJSDocParameterTag(tag)) params[tag.getName()] = comment;
    else if (tag.getTagName() === "returns") returns = comment;
    else if (tag.getTagName() === "throws")
      throws.push(oneLine(tag.getText().replace(/^@throws|^\s*\*\/?/gm, "")));
  }
  return { text: doc.getDescription().trim(), params, returns, throws };
}

/** Whether it is marked as none of the callers' business. */
export function isInternal(node: JSDocableNode): boolean {
  return node.getJsDocs().some((doc) => doc.getTags().some((tag) => tag.getTagName() === "internal"));
}

/** Without comments and line breaks. */
export function oneLine(text: string): string {
  return text
    .replace(/\/\*\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .trim();
}
