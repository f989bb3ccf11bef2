/** docs/client.md shows examples/client.ts, and it does what it says. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../support/server-process.ts";

const example = fileURLToPath(new URL("../../examples/client.ts", import.meta.url));

test("docs/client.md has the example as it is", () => {
  const page = readFileSync(new URL("../../docs/client.md", import.meta.url), "utf8");
  const [, shown] = /<!-- examples\/client\.ts -->\n```ts\n([\s\S]*?)```\n/.exec(page) ?? [];
  assert.equal(shown, readFileSync(example, "utf8"));
});

test("the example posts while one of its servers is replaced, and ends by itself when it is interrupted", async (t) => {
  const [first, second] = await Promise.all([startServer(t), startServer(t)]);
  const servers = [first, second].map(({ port }) => `127.0.0.1:${port}`);
  const args = ["--conditions=sluice-source", example, ...servers];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on("line", (line) => lines.push(line));
  while (lines.length < 3) await once(reader, "line");
  first.signal();
  assert.equal((await first.ended).code, 0);
  await startServer(t, { args: ["--port", String(first.port)] });
  const before = lines.length;
  while (lines.length < before + 3) await once(reader, "line");
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  for (const line of lines) assert.match(line, /^entry \d+ is at \d+$/);
});
