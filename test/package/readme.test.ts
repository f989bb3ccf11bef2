/**
 * "A service of your own" in README.md: its commands are typed as they stand, in an empty folder that has only the packed
 * package in it, with this Node.js and the next one.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-ports.ts";
import { installed, packageTool, registryMissing, tarball, userEnv } from "../support/packed-package.ts";
import { pythonMissing } from "../support/python-peer.ts";
import { spawnProgram, spawnSluice, temporaryFolder } from "../support/server-process.ts";
import { compilerMissing } from "../support/thrift-compiler.ts";

const skip = registryMissing() || compilerMissing() || pythonMissing();
const next = packageTool("node-26/bin/node");

/** The section's commands, up to the server, and those of the second terminal. */
function commands(): { first: string; second: string } {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, block] = /## A service of your own\n[^#]*?```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  const [first, second, ...more] = block!.split(/^# In a second terminal:\n/m);
  assert.deepEqual(more, []);
  return { first: first!, second: second! };
}

/** The environment of a newcomer with this Node.js, and with Debian's Python. Ports are free ones. */
async function newcomer(t: TestContext, node: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(temporaryFolder(t), "bin");
  mkdirSync(bin);
  symlinkSync(node, join(bin, "node"));
  symlinkSync("/usr/bin/python3", join(bin, "python3"));
  return {
    ...userEnv(node, [bin]),
    npm_config_cache: npmCache(t),
    SLUICE_PORT: String(await freePort()),
    SLUICE_ADMIN_PORT: String(await freePort()),
  };
}

/** A cache with the packages that are in the user's own, in which npx leaves nothing behind. */
function npmCache(t: TestContext): string {
  const own = join(execFileSync("npm", ["config", "get", "cache"], { encoding: "utf8" }).trim(), "_cacache");
  mkdirSync(own, { recursive: true });
  const cache = temporaryFolder(t);
  symlinkSync(own, join(cache, "_cacache"));
  return cache;
}

/** An empty folder with the packed package. */
function withTarball(t: TestContext): string {
  const folder = temporaryFolder(t);
  copyFileSync(tarball(), join(folder, basename(tarball())));
  return folder;
}

describe("a service of one's own, as README.md has it", { skip }, () => {
  for (const [name, node] of [
    ["this Node.js", process.execPath],
    ["Node.js 26", next],
  ] as const) {
    const missing = node === undefined ? "tools/package is not installed: make package" : false;
    test(`runs, answers and drains with ${name}`, { skip: missing }, async (t) => {
      const env = await newcomer(t, node!);
      const version = (program: string): string => execFileSync(program, ["--version"], { env }).toString();
      assert.equal(version("node"), version(node!));
      const folder = withTarball(t);
      const { first, second } = commands();
      const server = spawnProgram(t, ["bash", "-ec", first], env, folder, 120_000);
      const { pid } = await server.line("listening");
      assert.match(server.stderr, /call it +npx thrift-sluice call --port \d+ service\.ts METHOD/);
      const answers = execFileSync("bash", ["-ec", second], { cwd: folder, env, encoding: "utf8" });
      assert.equal(answers, "3\n3\n");
      // As docker compose stop does.
      process.kill(pid as number, "SIGTERM");
      const { code, last, lines } = await server.ended;
      const started = lines.map(({ unparsed }) => unparsed).filter((line) => line !== undefined);
      assert.ok(started.includes("gen/ is current: 4 files"), started.join("\n"));
      assert.deepEqual([code, last["outcome"], last["completed"]], [0, "clean", 2]);
    });
  }

  test("has tests, types and targets that hold", async (t) => {
    const env = await newcomer(t, process.execPath);
    const folder = withTarball(t);
    const sh = (line: string, cwd: string = folder): string => {
      const { status, stdout, stderr } = spawnSync("bash", ["-ec", line], { cwd, env, encoding: "utf8" });
      assert.equal(status, 0, `${line}:\n${stdout}${stderr}`);
      return stdout;
    };
    sh(`npx --package ./${basename(tarball())} sluice init price-list`);
    const service = join(folder, "price-list");
    assert.match(sh("make", service), /make run +serves on/);
    sh("make check && npm run check", service);
    assert.match(sh("make test", service), /PriceList adds and divides/);
    sh("make gen && npm run gen && npm ci", service);
    const server = spawnProgram(t, ["npm", "start"], env, service, 60_000);
    await server.line("listening");
    server.signal("SIGTERM");
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["outcome"]], [0, "clean"], "npm start passes a signal on");
    // A handler that does not fit the IDL is an error of types.
    const source = readFileSync(join(service, "service.ts"), "utf8");
    const broken = source.replace("divide(", "divdie(");
    writeFileSync(join(service, "service.ts"), broken);
    assert.equal(spawnSync("make", ["check"], { cwd: service, env }).status, 2);
  });
});

describe("sluice init", { skip: registryMissing() }, () => {
  test("of an installed package depends on what that was installed from", async (t) => {
    const folder = installed(t);
    execFileSync("npx", ["sluice", "init", "calc"], { cwd: folder, env: userEnv() });
    const file = `vendor/${basename(tarball())}`;
    assert.deepEqual(readFileSync(join(folder, "calc", file)), readFileSync(tarball()));
    const { dependencies } = JSON.parse(readFileSync(join(folder, "calc/package.json"), "utf8"));
    assert.equal(dependencies["thrift-sluice"], `file:${file}`);
  });

  test("of a global installation packs that", async (t) => {
    const [prefix, folder] = [temporaryFolder(t), temporaryFolder(t)];
    const env = userEnv();
    execFileSync("npm", ["install", "--global", "--prefix", prefix, tarball()], { env, stdio: "pipe" });
    const argv = [join(prefix, "bin/sluice"), "init", join(folder, "calc")];
    execFileSync(process.execPath, argv, { env, stdio: "pipe" });
    const list = (file: string): string[] =>
      execFileSync("tar", ["-tzf", file]).toString().split("\n").sort();
    assert.deepEqual(list(join(folder, "calc/vendor", basename(tarball()))), list(tarball()));
  });

  test("in a checkout packs it", async (t) => {
    const folder = join(temporaryFolder(t), "calc");
    const { code, stderr } = await spawnSluice(t, ["init", folder]).ended;
    const root = fileURLToPath(new URL("../../", import.meta.url));
    assert.deepEqual([code, stderr], [0, `packing ${root}…\n`]);
    const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const listed = execFileSync("tar", ["-tzf", join(folder, dependencies["thrift-sluice"].slice(5))]);
    assert.match(listed.toString(), /^package\/dist\/index\.js$/m);
  });
});
