import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { serviceNames } from "../../../src/cli/service-names.ts";
import { temporaryFolder } from "../../support/server-process.ts";
import { runSluice } from "./run-sluice.ts";

const files = [
  ".dockerignore",
  ".gitignore",
  "Dockerfile",
  "Makefile",
  "README.md",
  "client.py",
  "compose.yaml",
  "gen/PriceList.d.ts",
  "gen/PriceList.js",
  "gen/package.json",
  "gen/price_list_types.d.ts",
  "gen/price_list_types.js",
  "idl/price_list.thrift",
  "package.json",
  "service.test.ts",
  "service.ts",
  "tsconfig.json",
];

function allFiles(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** A service in a new folder. */
async function init(t: TestContext, ...argv: string[]): Promise<{ folder: string; out: string }> {
  const folder = join(temporaryFolder(t), "price-list");
  const { code, out, err } = await runSluice(["init", folder, ...argv]);
  assert.deepEqual([code, err], [0, ""]);
  return { folder, out };
}

describe("sluice init", () => {
  test("writes a service that is named after its folder, and says what to type next", async (t) => {
    const { folder, out } = await init(t, "--package", "^0.1.0");
    assert.deepEqual(allFiles(folder), files);
    for (const file of files)
      assert.doesNotMatch(
        readFileSync(join(folder, file), "utf8"),
        /service.?name|PACKAGE_SPEC|vendor vendor/i,
        file,
      );
    const { name, dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    assert.deepEqual([name, dependencies["thrift-sluice"]], ["price-list", "^0.1.0"]);
    assert.equal(
      out,
      `The service PriceList is written. idl/price_list.thrift says what it can do, service.ts does it. Next:

  cd ${folder}
  npm install
  npm start

and in a second terminal:

  cd ${folder}
  npx thrift-sluice call service.ts add 1 2
  npx thrift-sluice drain

After a change in idl/: npm run gen, which needs the Thrift compiler. README.md and make help have the rest.
`,
    );
  });

  for (const name of ["a'b", "$(id)", "a b", "ok-1"]) {
    test(`prints a line that a shell takes to the folder ${name}`, async (t) => {
      const folder = join(temporaryFolder(t), name);
      const { code, out } = await runSluice(["init", folder, "--name", "Calc", "--package", "^1"]);
      assert.equal(code, 0);
      const [, line] = /^ {2}(cd .+)$/m.exec(out)!;
      assert.equal(execFileSync("sh", ["-ec", `${line}; pwd`], { encoding: "utf8" }), `${folder}\n`);
    });
  }

  test("writes scripts that signals reach through npm, and no command that npx could look for elsewhere", async (t) => {
    const { folder, out } = await init(t, "--package", "^0.1.0");
    const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    // Without exec npm's shell would get the signal, and leave the server behind.
    assert.equal(scripts.start, "exec sluice serve service.ts");
    for (const text of [out, ...allFiles(folder).map((file) => readFileSync(join(folder, file), "utf8"))])
      assert.doesNotMatch(text, /npx sluice/);
  });

  test("takes a packed package along, into the image too", async (t) => {
    const tarball = join(temporaryFolder(t), "thrift-sluice-9.9.9.tgz");
    writeFileSync(tarball, "packed");
    const { folder } = await init(t, "--package", tarball);
    assert.deepEqual(allFiles(folder), [...files, "vendor/thrift-sluice-9.9.9.tgz"]);
    const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    assert.equal(dependencies["thrift-sluice"], "file:vendor/thrift-sluice-9.9.9.tgz");
    assert.match(readFileSync(join(folder, "Dockerfile"), "utf8"), /^COPY vendor vendor\nRUN npm ci/m);
  });

  test("refuses a folder that has something in it, and changes nothing there", async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ["a", "b", "c", "d"]) writeFileSync(join(folder, name), "");
    const { code, err } = await runSluice(["init", folder, "--name", "Calc", "--package", "^1"]);
    assert.equal(code, 2);
    assert.match(
      err,
      /^sluice: \S+ is not empty \(a, b, c, …\); give a folder that is empty or not there yet\n$/,
    );
    assert.deepEqual(allFiles(folder), ["a", "b", "c", "d"]);
    const file = await runSluice(["init", join(folder, "a"), "--package", "^1"]);
    assert.deepEqual([file.code, /is a file; give a folder/.test(file.err)], [2, true]);
  });

  test("takes a new repository for empty", async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, ".git"));
    const { code, err } = await runSluice(["init", folder, "--name", "Calc", "--package", "^1"]);
    assert.deepEqual([code, err], [0, ""]);
  });

  test("wants one folder, and a package that is there", async (t) => {
    const folder = temporaryFolder(t);
    for (const argv of [[], ["a", "b"]]) {
      const { code, err } = await runSluice(["init", ...argv]);
      assert.deepEqual([code, err], [2, "sluice: write: sluice init DIR, for example: sluice init calc\n"]);
    }
    const { code, err } = await runSluice(["init", join(folder, "calc"), "--package", "./none.tgz"]);
    assert.deepEqual([code, /--package \.\/none\.tgz: there is no such file/.test(err)], [2, true]);
    assert.deepEqual(readdirSync(folder), []);
  });

  test("writes the versions that this package is tried with", () => {
    const read = (path: string): Record<string, Record<string, string>> =>
      JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8"));
    const own = read("package.json");
    const versions = { ...own["devDependencies"], ...own["dependencies"] };
    const written = read("templates/service/_package.json");
    for (const [name, range] of Object.entries({ ...written["dependencies"], ...written["devDependencies"] }))
      if (!["thrift-sluice", "@types/node"].includes(name))
        assert.equal(range.replace("^", ""), versions[name]!.replace("^", ""), name);
    assert.deepEqual(written["engines"], own["engines"]);
  });
});

describe("the names of a service", () => {
  for (const [text, service, file, name] of [
    ["calc", "Calc", "calc", "calc"],
    ["price-list", "PriceList", "price_list", "price-list"],
    ["PriceList", "PriceList", "price_list", "price-list"],
    ["price_list.v2", "PriceListV2", "price_list_v2", "price-list-v2"],
    ["2026-prices", "Prices", "prices", "prices"],
  ] as const) {
    test(`of ${text}`, () => {
      assert.deepEqual(serviceNames(text, "the name"), { service, file, package: name });
    });
  }

  for (const text of ["", "42", "größe", "class", "thrift-sluice", "Thrift", "x".repeat(61)]) {
    test(`can't be made of ${text}`, () => {
      assert.throws(
        () => serviceNames(text, "the folder's name"),
        /^UsageError: the folder's name, .*--name PriceList$/,
      );
    });
  }
});
