/** A real HAProxy in front of test servers, with the configuration that the project ships (Debian: `apt-get install haproxy`). */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-ports.ts";
import { temporaryFolder } from "./server-process.ts";

const program = ["haproxy", "/usr/sbin/haproxy"].find((file) => spawnSync(file, ["-v"]).status === 0);
const shipped: string = fileURLToPath(new URL("../../deploy/haproxy/haproxy.cfg", import.meta.url));

/** Why tests that need HAProxy are skipped; false when they run. `SLUICE_REQUIRE_PEERS=1` runs them in any case. */
export const withoutHaproxy: string | false =
  program === undefined && process.env["SLUICE_REQUIRE_PEERS"] !== "1"
    ? "there is no HAProxy on this machine (Debian: apt-get install haproxy)"
    : false;

/** Where a replica is. */
export interface ReplicaPorts {
  readonly port: number;
  readonly adminPort: number;
}

export interface Haproxy {
  readonly port: number;
  /** Resolves when HAProxy has found so many replicas ready. @throws after 20 s */
  untilReady(replicas: number): Promise<void>;
}

const longestWaitMs = 20_000;

/** Starts it in front of three replicas; it ends with the test. */
export async function startHaproxy(t: TestContext, replicas: readonly ReplicaPorts[]): Promise<Haproxy> {
  if (program === undefined) throw new Error("no haproxy found; Debian: apt-get install haproxy");
  const folder = temporaryFolder(t);
  const port = await freePort();
  const control = join(folder, "control.sock");
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, configure(port, replicas, control));
  const child = spawn(program, ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  t.after(async () => {
    const gone = once(child, "exit");
    if (child.exitCode !== null || !child.kill("SIGKILL")) return;
    await gone;
  });
  const untilReady = async (wanted: number): Promise<void> => {
    const untilMs = performance.now() + longestWaitMs;
    while ((await countReady(control)) !== wanted) {
      if (performance.now() > untilMs || child.exitCode !== null) throw new Error(`HAProxy: ${said}`);
      await sleep(20);
    }
  };
  return { port, untilReady };
}

/** The shipped configuration with the addresses of the test's own replicas, and a socket to ask it. */
function configure(port: number, replicas: readonly ReplicaPorts[], control: string): string {
  let text = readFileSync(shipped, "utf8");
  const replace = (from: string, to: string): void => {
    if (!text.includes(from)) throw new Error(`deploy/haproxy/haproxy.cfg has no line "${from}" any more`);
    text = text.replace(from, to);
  };
  replace("global\n", `global\n  stats socket ${control} mode 600\n`);
  replace("bind :9090", `bind 127.0.0.1:${port}`);
  replicas.forEach((at, index) => {
    const name = `replica${index + 1}`;
    replace(`${name}:9090 port 9091`, `127.0.0.1:${at.port} port ${at.adminPort}`);
  });
  return text;
}

async function countReady(control: string): Promise<number> {
  const socket = connect(control);
  let table = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    table += text;
  });
  const over = new Promise<void>((resolve) => {
    socket.once("error", () => resolve());
    socket.once("close", () => resolve());
  });
  socket.write("show stat\n");
  await over;
  return table.split("\n").filter((line) => /^replicas,replica\d,/.test(line) && line.split(",")[17] === "UP")
    .length;
}
