/** The command under a Node.js that is too old for it: it says so, whatever is typed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { packageTool } from "../support/packed-package.ts";
import { sluicePath } from "../support/server-process.ts";

const old = packageTool("node-18/bin/node");
const missing = process.env["SLUICE_REQUIRE_PEERS"] !== "1" && "tools/package is not installed: make package";

describe("with Node.js 18, sluice", { skip: old === undefined && missing }, () => {
  for (const argv of [[], ["--help"], ["serve", "service.ts"], ["init", "calc"]]) {
    test(`${argv.join(" ")} says which one it needs and how to get it`, () => {
      const { status, stdout, stderr } = spawnSync(old!, [sluicePath, ...argv], { encoding: "utf8" });
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(
        stderr,
        /^sluice: needs Node\.js 24 or newer; this is 18\.[^\n]+\nIn a project [^\n]+node@24\), run: npx thrift-sluice\n$/,
      );
    });
  }
});
