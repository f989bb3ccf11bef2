#!/usr/bin/env node
// The command `sluice`. Plain JavaScript that old versions of Node can read, so that they can be told apart.
import { existsSync } from "node:fs";
import { keepSignals } from "./early-signals.js";

const handOverSignals = process.argv[2] === "serve" ? keepSignals() : () => {};

const oldest = 24;
if (Number(process.versions.node.split(".")[0]) < oldest) {
  console.error(
    `sluice: needs Node.js ${oldest} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      "In a project that has it as the npm package `node` (npm install --save-dev node@24), run: npx sluice",
  );
  process.exit(1);
}

// A checkout runs from source; the published package has no sources.
const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);
const { main } = await import(existsSync(source) ? source.href : built.href);
await main(handOverSignals);
