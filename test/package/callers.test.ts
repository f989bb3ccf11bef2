/** What callers get of the packed package: its files, its entries, its types, and a service that runs. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { installed, packageTool, registryMissing, tarball, userEnv } from "../support/packed-package.ts";
import { spawnProgram } from "../support/server-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const skip = registryMissing();

/** The ledger's generated code, as a user's. */
function withLedger(t: TestContext, packages: readonly string[] = []): string {
  const folder = installed(t, packages);
  cpSync(join(root, "gen"), join(folder, "gen"), { recursive: true });
  return folder;
}

function inFolder(folder: string, ...argv: string[]): string {
  return execFileSync(process.execPath, argv, { cwd: folder, env: userEnv(), encoding: "utf8" });
}

describe("the packed package", () => {
  const read = (file: string): string =>
    execFileSync("tar", ["-xzOf", tarball(), `package/${file}`], { encoding: "utf8", maxBuffer: 2 ** 26 });

  test("has what is needed at run time and its documents, and nothing of the development", () => {
    const files = execFileSync("tar", ["-tzf", tarball()], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""));
    const rest = files.filter(
      (file) =>
        !/^dist\/[\w/-]+\.(js|js\.map|cjs|d\.cts)$/.test(file) &&
        !/^dist\/(client\/)?index\.d\.ts$/.test(file) &&
        !/^(dist\/admin\/page|gen|idl|templates\/service|docs|examples|deploy)\//.test(file),
    );
    assert.deepEqual(rest.sort(), [
      "ARCHITECTURE.md",
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "bin/early-signals.js",
      "bin/sluice.js",
      "package.json",
    ]);
    for (const file of [
      "dist/cli/main.js",
      "gen/package.json",
      "idl/ledger.thrift",
      "dist/ledger/service.js",
    ])
      assert.ok(files.includes(file), file);
    const maps = files.filter((file) => file.endsWith(".map"));
    assert.equal(maps.length, files.filter((file) => /^dist\/(?!admin\/page\/).*\.js$/.test(file)).length);
    const { sources, sourcesContent } = JSON.parse(read("dist/server/serve.js.map"));
    assert.deepEqual([sources.length, sourcesContent.length], [1, 1]);
    assert.equal(sourcesContent[0], readFileSync(join(root, "src/server/serve.ts"), "utf8"));
  });

  test("has all files that its README.md leads to", () => {
    const files = execFileSync("tar", ["-tzf", tarball()], { encoding: "utf8" });
    const links = [...read("README.md").matchAll(/\]\(([^):#]+)[^):]*\)/g)].map(([, link]) => link!);
    assert.ok(links.includes("docs/tour.md") && links.includes("docs/drain.svg"));
    const missing = links.filter((link) => !files.includes(`\npackage/${link}`));
    assert.deepEqual(missing, []);
  });

  test("runs nothing when it is installed", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const names = Object.keys(scripts).filter((name) =>
      /^(pre|post)?(install|prepare|uninstall)$/.test(name),
    );
    assert.deepEqual(names, []);
  });
});

describe("callers of the installed package", { skip }, () => {
  test("get one instance of each module, by import and by require, and both entries", (t) => {
    const folder = installed(t);
    writeFileSync(
      join(folder, "both.cjs"),
      `const sluice = require("thrift-sluice"), client = require("thrift-sluice/client");
import("thrift-sluice").then(async (imported) => {
  const names = Object.keys(imported).filter((name) => imported[name] === sluice[name]);
  console.log(names.length === Object.keys(sluice).length, names.includes("serve"));
  console.log((await import("thrift-sluice/client")).createClient === client.createClient);
});`,
    );
    assert.equal(inFolder(folder, "both.cjs"), "true true\ntrue\n");
  });

  test("serve their modules, whatever they are written in, and drain", async (t) => {
    const folder = withLedger(t);
    const handler = `{ ping() {}, post: () => ({ seq: 7, duplicate: false }), postAll: () => [], balance: () => 42,
      entries: () => [], audit: () => ({}), track() {}, counters: () => ({}) }`;
    const modules: Record<string, string> = {
      "esm.js": `import { defineService } from "thrift-sluice";
import Ledger from "./gen/Ledger.js";
export default defineService({ name: "Esm", service: Ledger, handler: () => (${handler}) });`,
      "typed.ts": `import { defineService, type ServiceContext } from "thrift-sluice";
import Ledger from "./gen/Ledger.js";
export default defineService({ name: "Typed", service: Ledger, handler: (_: ServiceContext) => (${handler}) });`,
      "common.cjs": `const { defineService } = require("thrift-sluice");
module.exports = defineService({ name: "Common", service: require("./gen/Ledger.js"), handler: () => (${handler}) });`,
    };
    for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text);
    const sluice = join(folder, "node_modules/.bin/sluice");
    const argv = ["serve", "--port", "0", "--admin-port", "0", "--workers", "2", ...Object.keys(modules)];
    const server = spawnProgram(t, [process.execPath, sluice, ...argv], userEnv(), folder);
    await server.line("listening");
    for (const module of Object.keys(modules))
      assert.equal(
        inFolder(folder, sluice, "call", "--port", `${server.port}`, module, "balance", "x"),
        "42\n",
      );
    server.signal();
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["outcome"], last["completed"]], [0, "clean", 3]);
  });
});

/** A caller that uses what a typical one uses. `using` declarations need TypeScript 5.2. */
const caller = `import { currentCall, defineService, OptionError, type Server, serve } from "thrift-sluice";
import { createClient } from "thrift-sluice/client";
LEDGER

export const service: object = defineService({
  name: "Ledger",
  service: Ledger,
  handler: async () => ({
    ping() {},
    post: (entry) => ({ seq: 1, duplicate: entry.id === currentCall().method }),
    postAll: () => [],
    balance: (account) => account.length,
    entries: () => [],
    audit: () => { throw new OptionError("a", "b"); },
    track() {},
    counters: () => ({}),
  }),
});

export async function run(): Promise<number> {
  const server: Server = await serve("x.ts", { port: 0 });
  const client = createClient(Ledger, { endpoints: "127.0.0.1:9090" });
  const { seq } = await client.post({ id: "1", debit: "a", credit: "b", amount: 1 });
  await server.drain("done");
  return Number(seq);
}

// @ts-expect-error: a method is missing
defineService({ name: "Ledger", service: Ledger, handler: () => ({ ping() {} }) });
`;

/**
 * TypeScript's versions. Those before 5.6 no longer understand all types of Node.js and thrift, which come along; before
 * 5.2 there is no `Symbol.asyncDispose`, and everybody needs skipLibCheck.
 */
const versions: readonly {
  readonly name: string;
  readonly tsc: string | undefined;
  readonly clean: "all" | "ours" | "with skipLibCheck";
}[] = [
  { name: "5.0", tsc: packageTool("typescript-5.0/bin/tsc"), clean: "with skipLibCheck" },
  { name: "5.4", tsc: packageTool("typescript-5.4/bin/tsc"), clean: "ours" },
  { name: "5.9", tsc: packageTool("typescript-5.9/bin/tsc"), clean: "all" },
  { name: "7", tsc: join(root, "node_modules/typescript/bin/tsc"), clean: "all" },
];

describe("types of the installed package", { skip }, () => {
  test("hold for ES modules and CommonJS, for TypeScript 5 and 7, without skipLibCheck", async (t) => {
    const folder = withLedger(t, ["@types/thrift"]);
    const ledger = `Ledger ${"from"} "./gen/Ledger.js";`;
    writeFileSync(join(folder, "esm.mts"), caller.replace("LEDGER", `import * as ${ledger}`));
    writeFileSync(
      join(folder, "cjs.cts"),
      caller.replace("LEDGER", 'import Ledger = require("./gen/Ledger.js");'),
    );
    for (const { name, tsc, clean } of versions) {
      const missing = tsc === undefined ? "tools/package is not installed: make package" : false;
      if (missing !== false && process.env["SLUICE_REQUIRE_PEERS"] === "1") assert.fail(missing);
      for (const resolution of clean === "all" ? ["node16", "nodenext", "bundler"] : ["node16", "bundler"]) {
        await t.test(`TypeScript ${name}, ${resolution}: ${clean}`, { skip: missing }, () => {
          const told = check(folder, tsc!, resolution, clean === "with skipLibCheck");
          if (clean === "ours") assert.doesNotMatch(told, /^(node_modules\/thrift-sluice|gen|esm|cjs)/m);
          else assert.equal(told, "");
        });
      }
    }
  });
});

/** What the compiler says of the callers. */
function check(folder: string, tsc: string, resolution: string, skipLibCheck: boolean): string {
  const module = resolution === "bundler" ? ["esnext", "esm.mts"] : [resolution, "esm.mts", "cjs.cts"];
  // The types of thrift name XMLHttpRequest.
  const flags = "--noEmit --strict --target es2022 --lib es2022,dom --types node".split(" ");
  const argv = [tsc, ...flags, "--moduleResolution", resolution, "--module", ...module];
  if (skipLibCheck) argv.push("--skipLibCheck");
  return spawnSync(process.execPath, argv, { cwd: folder, encoding: "utf8" }).stdout;
}
