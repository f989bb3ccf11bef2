/**
 * docs/tour.md is what one sees: every command in it is typed at a terminal, and what comes is compared.
 * `UPDATE_TOUR=1` writes what came into the document instead.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { freePort } from "../support/free-ports.ts";
import { sluicePath, temporaryFolder } from "../support/server-process.ts";

const tour = new URL("../../docs/tour.md", import.meta.url);
const command = `'${process.execPath}' '${sluicePath}'`;

/** A program at a terminal of its own, as `script` makes it. */
class Typed {
  text = "";
  readonly ended: Promise<unknown>;
  #wakers: (() => void)[] = [];

  constructor(t: TestContext, line: string, env: NodeJS.ProcessEnv, cwd: string) {
    const child = spawn("script", ["-qec", line.replace("npx sluice", command), "/dev/null"], { env, cwd });
    const timer = setTimeout(() => child.kill("SIGKILL"), 40_000);
    this.ended = once(child, "close").finally(() => clearTimeout(timer));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.text += text;
      for (const wake of this.#wakers.splice(0)) wake();
    });
    child.stdin.end();
    t.after(() => child.kill("SIGKILL"));
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }
}

/** What differs each time becomes what the document says. */
function steady(text: string, port: number, adminPort: number): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(` --port ${port}`, "")
    .replaceAll(` --admin-port ${adminPort}`, "")
    .replaceAll(`127.0.0.1:${port}`, "127.0.0.1:9090")
    .replaceAll(`127.0.0.1:${adminPort}`, "127.0.0.1:9091")
    .replaceAll(`, ${port})`, ", 9090)")
    .replaceAll(` port=${port} `, " port=9090 ")
    .replaceAll(`adminPort=${adminPort}`, "adminPort=9091")
    .replace(/^\d\d:\d\d:\d\d\.\d{3}/gm, "10:04:05.123")
    .replace(/modules=\["[^"]*service\.ts"\]/, 'modules=["…/ledger/service.ts"]')
    .replace(/\bkill \d+/g, "kill 4711")
    .replace(/process \d+/g, "process 4711")
    .replace(/\b\d+\.\d s\b/g, "0.1 s")
    .replace(/(Ledger) \d+\.\d+\.\d+/g, "$1 0.1.0")
    .replace(/, busy \d+ %/g, "")
    .replace(/(resource=store) .*$/m, "$1 …")
    .trimEnd();
}

/** Log and welcome are written side by side. */
function logFirst(text: string): string {
  const lines = text.split("\n");
  const isLog = (line: string): boolean => line.startsWith("10:04:05.123");
  return [...lines.filter(isLog), ...lines.filter((line) => !isLog(line))].join("\n");
}

/** A drain may be seen in more or fewer steps. */
function comparable(text: string): string {
  return text
    .replace(/^(?:lame-duck|draining|flushing|closing) for .*\n/gm, "")
    .replace(/^( *)phases .*$/gm, "$1phases");
}

test("docs/tour.md shows what one sees", { skip: scriptMissing() }, async (t) => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const folder = temporaryFolder(t);
  const env = {
    ...process.env,
    NODE_OPTIONS: "",
    SLUICE_PORT: String(port),
    SLUICE_ADMIN_PORT: String(adminPort),
    SLUICE_STORE: `sqlite:${join(folder, "ledger.db")}`,
  };
  let server: Typed | undefined;
  let told = 0;
  const document = readFileSync(tour, "utf8");
  const blocks = [...document.matchAll(/^```(server|console)\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length >= 8);
  let seen = document;
  for (const [whole, kind, body] of blocks) {
    const lines: string[] = [];
    for (const line of body!.split("\n").filter((line) => line.startsWith("$ "))) {
      const typed = new Typed(t, line.slice(2), env, folder);
      if (kind === "server") {
        server = typed;
        await typed.until(/listening host[\s\S]*stop it|stop it[\s\S]*listening host[^\n]*\n/);
        told = typed.text.length;
      } else await typed.ended;
      const text = steady(typed.text, port, adminPort);
      lines.push(line, kind === "server" ? logFirst(text) : text);
    }
    if (kind === "server" && lines.length === 0) {
      await server!.ended;
      lines.push(steady(server!.text.slice(told), port, adminPort));
    }
    seen = seen.replace(whole!, () => `\`\`\`${kind}\n${lines.filter(Boolean).join("\n")}\n\`\`\``);
  }
  if (process.env["UPDATE_TOUR"] === "1") writeFileSync(tour, seen);
  else assert.equal(comparable(seen), comparable(document));
});

function scriptMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1") return false;
  try {
    execFileSync("script", ["-qec", "true", "/dev/null"], { stdio: "ignore" });
    return false;
  } catch {
    return "no terminals can be made here: that needs the command script (on Debian in bsdutils) and /dev/pts";
  }
}
