/** The programs that docs/clients.md shows, in parts between the lines `recipe` and `end of recipe`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.ts";
import type { LibraryId } from "./cells.ts";

export interface ShownProgram {
  /** Its file, within test/interop. */
  readonly source: string;
  /** The language of its code block. */
  readonly language: string;
}

export const recipes: Readonly<Record<LibraryId, ShownProgram>> = {
  python: { source: "recipes/python_recipe.py", language: "python" },
  thriftpy: { source: "recipes/thriftpy_recipe.py", language: "python" },
  cpp: { source: "recipes/recipe.cpp", language: "cpp" },
  go: { source: "recipes/recipe.go", language: "go" },
  java: { source: "recipes/Recipe.java", language: "java" },
  node: { source: "recipes/node.ts", language: "ts" },
};

/** The part of a recipe that is shown. @throws when its file does not mark one */
export function shownPart(id: LibraryId): string {
  const file = join(root, "test/interop", recipes[id].source);
  const shown = /^\W+recipe\n([\s\S]*?)\n\s*\W+end of recipe$/m.exec(readFileSync(file, "utf8"))?.[1];
  if (shown === undefined) throw new Error(`${file} needs the comments "recipe" and "end of recipe"`);
  return shown.trim();
}
