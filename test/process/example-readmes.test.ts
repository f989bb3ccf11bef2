/**
 * What the examples' READMEs print can be typed: each block of `sh` is run, in order, and gives what the block of `text`
 * behind it says. A block that serves goes on beside the next ones. They run as in a checkout, and copied out of it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-ports.ts";
import { sluicePath, temporaryFolder } from "../support/server-process.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** What the user's shell would have: this Node, and `npx sluice` without npm's own second. */
const prelude = `set -e
node() { '${process.execPath}' "$@"; }
npx() { shift; '${process.execPath}' '${sluicePath}' "$@"; }
`;

/** A shell that runs one block. */
class Block {
  output = "";
  readonly ended: Promise<unknown>;
  readonly stop: () => void;
  code: number | null = null;
  #wakers: (() => void)[] = [];

  constructor(t: TestContext, script: string, env: NodeJS.ProcessEnv, cwd: string) {
    const child = spawn("sh", ["-c", prelude + script], { env, cwd, detached: true });
    // The server is the shell's child: both are one group.
    this.stop = () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGTERM");
    };
    const timer = setTimeout(this.stop, 20_000);
    t.after(this.stop);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        for (const wake of this.#wakers.splice(0)) wake();
      });
    }
    this.ended = once(child, "close").then(([code]) => {
      clearTimeout(timer);
      this.code = code as number | null;
      for (const wake of this.#wakers.splice(0)) wake();
    });
  }

  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      assert.equal(this.code, null, this.output);
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }
}

/** Types all of a README. `serves` finds the blocks that go on, by what they say when they are ready. */
async function typeReadme(t: TestContext, readme: string, cwd: string): Promise<void> {
  const port = String(await freePort());
  const env = {
    ...process.env,
    NODE_OPTIONS: "",
    PORT: port,
    SLUICE_PORT: port,
    SLUICE_ADMIN_PORT: String(await freePort()),
    SLUICE_WORKERS: "2",
  };
  let serving: Block | undefined;
  let seen = "";
  const blocks = [...readFileSync(readme, "utf8").matchAll(/^```(sh|text)\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length >= 3, readme);
  for (const [, kind, body] of blocks as unknown as [string, string, string][]) {
    if (kind === "text") {
      assert.equal(seen, body);
      continue;
    }
    const ready = readyWhen(body);
    if (ready !== undefined) {
      serving?.stop();
      await serving?.ended;
      serving = new Block(t, body, env, cwd);
      await serving.says(ready);
      continue;
    }
    const block = new Block(t, body, env, cwd);
    await block.ended;
    assert.equal(block.code, 0, `${body}\n${block.output}`);
    seen = block.output;
  }
  serving?.stop();
  await serving?.ended;
}

function readyWhen(body: string): RegExp | undefined {
  if (/^npx sluice serve /m.test(body)) return /"msg":"listening"/;
  return /^node .*server\.js$/m.test(body) ? /listens/ : undefined;
}

for (const example of ["counter", "scanner", "migrate"]) {
  test(`examples/${example}/README.md says what one sees`, async (t) => {
    // A folder like a checkout, for what the examples leave in it.
    const folder = temporaryFolder(t);
    for (const name of ["examples", "node_modules", "package.json", "src"]) {
      symlinkSync(join(checkout, name), join(folder, name));
    }
    await typeReadme(t, join(checkout, "examples", example, "README.md"), folder);
  });
}

test("an example runs when it is copied to where the package is installed", async (t) => {
  const folder = temporaryFolder(t);
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const example of ["counter", "scanner"]) {
    cpSync(join(checkout, "examples", example), join(folder, example), { recursive: true });
    const readme = join(folder, example, "README.md");
    writeFileSync(readme, readFileSync(readme, "utf8").replaceAll("examples/", ""));
    await typeReadme(t, readme, folder);
  }
});
