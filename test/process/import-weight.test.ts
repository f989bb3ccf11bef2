/** Service modules import the package in every worker: what they get there must not be the whole server. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("importing thrift-sluice loads nothing that only a server needs", () => {
  const script = `
    import { createRequire } from "node:module";
    const before = new Set(process.moduleLoadList);
    await import("thrift-sluice");
    const builtin = process.moduleLoadList.filter((name) => !before.has(name));
    const packages = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify({ packages, builtin }));
  `;
  const args = ["--conditions=sluice-source", "--input-type=module", "--eval", script];
  const told = execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  const { packages, builtin } = JSON.parse(told) as { packages: string[]; builtin: string[] };
  assert.deepEqual(packages, []);
  for (const name of ["http", "tls", "zlib"]) {
    assert.ok(!builtin.includes(`NativeModule ${name}`), name);
  }
});
