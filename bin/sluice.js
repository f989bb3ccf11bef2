#!/usr/bin/env node
// The command `sluice`. Plain JavaScript that old versions of Node can read, so that they can be told apart.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";
import { keepSignals } from "./early-signals.js";

const handOverSignals = process.argv[2] === "serve" ? keepSignals() : () => {};

const oldest = 24;
if (Number(process.versions.node.split(".")[0]) < oldest) {
  console.error(
    `sluice: needs Node.js ${oldest} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      "In a project that has it as the npm package `node` (npm install --save-dev node@24), run: npx thrift-sluice",
  );
  process.exit(1);
}

// Four threads load much the same modules: what one has compiled (and stripped of types) serves the others and the
// next start. Threads learn of it by the environment. Where the folder can't be written there is just no cache.
if (process.env.NODE_COMPILE_CACHE === undefined)
  process.env.NODE_COMPILE_CACHE = fileURLToPath(new URL("../node_modules/.cache/sluice", import.meta.url));
nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE);

// A checkout runs from source; the published package has no sources.
const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);
const { main } = await import(existsSync(source) ? source.href : built.href);
await main(handOverSignals);
