/**
 * Completes dist/ after the compiler: the entries for `require`, and declarations that hold for both kinds of caller.
 *
 * What an ES module declares can't be imported by a CommonJS file (TypeScript 5's node16), the other way round is
 * right. So the declarations that the entries reach become `.d.cts`, and the ES modules' `.d.ts` pass them on: one
 * declaration of each class, whoever imports it. At run time `require` gets the ES modules: one instance of each.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const dist = resolve(import.meta.dirname, "../dist");
const declared = resolve(import.meta.dirname, "../build/types");
const entries = ["index", "client/index"];

/** Relative specifiers end in `.ts`, as in the sources. */
const specifiers = /((?:from|import)\s*\(?\s*")(\.{1,2}\/[^"]+)\.ts"/g;

rmSync(declared, { recursive: true, force: true });
mkdirSync(dirname(declared), { recursive: true });
renameSync(join(dist, "types"), declared);

const reached = new Set(entries.map((entry) => join(declared, `${entry}.d.ts`)));
// It grows while it is gone through.
for (const file of reached) {
  const text = readFileSync(file, "utf8");
  for (const [, , specifier] of text.matchAll(specifiers)) {
    reached.add(resolve(dirname(file), `${specifier}.d.ts`));
  }
  const target = join(dist, relative(declared, file).replace(/\.d\.ts$/, ".d.cts"));
  writeFileSync(target, text.replaceAll(specifiers, '$1$2.cjs"'));
}
for (const entry of entries) {
  writeFileSync(join(dist, `${entry}.d.ts`), 'export * from "./index.cjs";\n');
  writeFileSync(join(dist, `${entry}.cjs`), '"use strict";\nmodule.exports = require("./index.js");\n');
}
