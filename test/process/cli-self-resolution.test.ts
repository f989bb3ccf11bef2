import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const hook = fileURLToPath(new URL("../../src/service/self-resolution.ts", import.meta.url));

/** A copy of the package with a small index, and beside it a folder of somebody else's modules. */
function layOut(t: TestContext): { service: string; theirs: string } {
  const folder = mkdtempSync(join(tmpdir(), "sluice-self-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, "copy");
  const theirs = join(folder, "theirs");
  mkdirSync(join(copy, "src", "service"), { recursive: true });
  mkdirSync(theirs);
  copyFileSync(hook, join(copy, "src", "service", "self-resolution.ts"));
  writeFileSync(join(copy, "src", "index.ts"), "export const which: string = import.meta.url;\n");
  writeFileSync(
    join(copy, "package.json"),
    JSON.stringify({
      name: "thrift-sluice",
      version: "9.9.9",
      type: "module",
      exports: {
        ".": { "sluice-source": "./src/index.ts", default: "./dist/index.js" },
        "./package.json": "./package.json",
      },
    }),
  );
  writeFileSync(
    join(theirs, "esm.mjs"),
    `import { which } from "thrift-sluice"; console.log("import", which);\n`,
  );
  writeFileSync(
    join(theirs, "cjs.cjs"),
    `console.log("require", require("thrift-sluice").which, require("thrift-sluice/package.json").version);\n`,
  );
  writeFileSync(join(theirs, "other.mjs"), `import "thrift-sluice/nothing";\n`);
  return { service: join(copy, "src", "service", "self-resolution.ts"), theirs };
}

async function runModule(source: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source]);
  return stdout;
}

test("a module anywhere gets this very copy, by import and by require, in the main thread and in a worker", async (t) => {
  const { service, theirs } = layOut(t);
  const load = `
    const { registerSelfResolution } = await import(${JSON.stringify(service)});
    registerSelfResolution();
    registerSelfResolution();
    await import(${JSON.stringify(join(theirs, "esm.mjs"))});
    await import(${JSON.stringify(join(theirs, "cjs.cjs"))});`;
  const out = await runModule(`${load}
    import { Worker } from "node:worker_threads";
    new Worker(${JSON.stringify(`(async () => {${load}})()`)}, { eval: true });`);
  assert.match(
    out,
    /^(import file:\S+\/copy\/src\/index\.ts\nrequire file:\S+\/copy\/src\/index\.ts 9\.9\.9\n){2}$/,
  );
});

test("an entry point that does not exist fails as usual", async (t) => {
  const { service, theirs } = layOut(t);
  const out = await runModule(`
    const { registerSelfResolution } = await import(${JSON.stringify(service)});
    registerSelfResolution();
    await import(${JSON.stringify(join(theirs, "other.mjs"))}).catch((error) => console.log(error.code));`);
  assert.equal(out, "ERR_MODULE_NOT_FOUND\n");
});
