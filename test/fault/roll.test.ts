/** The short form of `make roll`: nobody who calls through Sluice's client notices what happens to replicas. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withoutPostgres } from "../support/postgres.ts";
import { type RollResult, type RollVariant, roll } from "./rolling.ts";

const quietMs = 2000;

function describe({ quiet, rolling, disturbances, repeats }: RollResult): string {
  const ratio = (rolling.p99 / quiet.p99).toFixed(2);
  return (
    `${rolling.calls} calls, ${disturbances} disturbances, p99 ${rolling.p99} ms (quiet ${quiet.p99} ms, ${ratio} ×), ` +
    `longest ${rolling.max} ms, repeats ${JSON.stringify(repeats)}`
  );
}

const rows: readonly {
  readonly variant: RollVariant;
  readonly transport: "header" | "framed" | "http";
  readonly rollMs: number;
}[] = [
  { variant: "restart", transport: "header", rollMs: 10_000 },
  { variant: "restart", transport: "framed", rollMs: 3000 },
  { variant: "restart", transport: "http", rollMs: 3000 },
  { variant: "kill", transport: "header", rollMs: 4000 },
  { variant: "freeze", transport: "header", rollMs: 3000 },
];

for (const { variant, transport, rollMs } of rows) {
  test(`50 callers see no error while replicas are in turn given to ${variant}, over ${transport}`, async (t) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    t.after(() => process.off("unhandledRejection", note));
    const call = withoutPostgres === false ? "post" : "ping";
    const result = await roll({ variant, transport, rollMs, quietMs, besideMs: 0, call, tell: () => {} });
    t.diagnostic(describe(result));
    assert.deepEqual(result.errors, []);
    assert.equal(result.entries?.twice ?? 0, 0);
    assert.ok(result.disturbances > 0 && result.rolling.calls > 500);
    assert.deepEqual(unhandled, []);
  });
}

test("50 callers see no error while packets to replicas are in turn dropped", {
  skip: withoutNamespaces(),
}, async (t) => {
  const program = fileURLToPath(new URL("./roll.ts", import.meta.url));
  const args = ["--conditions=sluice-source", program, "--variant", "partition", "--seconds", "3"];
  const command = `ip link set lo up && exec ${[process.execPath, ...args, "--quiet", "2"].join(" ")}`;
  // It ends with 1 when there was an error.
  const { stdout } = await promisify(execFile)("unshare", ["--net", "sh", "-c", command], {
    timeout: 100_000,
  });
  t.diagnostic(stdout.trim().split("\n").at(-1)!);
});

function withoutNamespaces(): string | false {
  try {
    const command = "ip link set lo up && iptables -A INPUT -p tcp --dport 9 -j DROP";
    execFileSync("unshare", ["--net", "sh", "-c", command], { stdio: "ignore" });
    return false;
  } catch {
    return "no network namespaces here; they need root, iproute2 and iptables";
  }
}
