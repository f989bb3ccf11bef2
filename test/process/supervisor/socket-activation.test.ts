import assert from "node:assert/strict";
import type { NetConnectOpts } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { startConnectLoad } from "../../support/connect-load.ts";
import { sluicePath, temporaryFolder } from "../../support/server-process.ts";
import { type PythonProgram, startPython, withoutPython } from "./python.ts";

/** A holder of sockets that starts `sluice serve` on them for each line it is given. */
function startHolder(t: TestContext, kinds: readonly string[], args: readonly string[] = []): PythonProgram {
  const store = `sqlite:${join(temporaryFolder(t), "ledger.db")}`;
  const serve = [process.execPath, sluicePath, "serve", "--workers", "2", "--store", store, ...args];
  return startPython(t, "socket_holder", ...kinds, "--", ...serve);
}

async function restartUnderLoad(
  t: TestContext,
  kind: string,
  toOptions: (address: unknown) => NetConnectOpts,
): Promise<void> {
  const holder = startHolder(t, [kind], ["--admin-port", "0"]);
  const { addresses } = (await holder.line((line) => "addresses" in line)) as { addresses: unknown[] };
  const load = startConnectLoad(t, toOptions(addresses[0]), 200);
  for (let starts = 1; starts <= 3; starts++) {
    holder.child.stdin.write("start\n");
    await holder.line(() => holder.lines.filter(({ msg }) => msg === "listening").length === starts);
    const before = load.answered;
    while (load.answered < before + 100) await new Promise((resolve) => setImmediate(resolve));
  }
  const result = await load.stop();
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.failed, {});
  assert.equal(result.answered, result.started);
  const outcomes = (await holder.end()).filter(({ msg }) => msg === "stopped");
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ["clean", "clean", "clean"],
  );
}

describe("socket activation", { skip: withoutPython }, () => {
  test("two restarts on an inherited TCP socket, with 200 connects a second: none refused, none reset, all answered", (t) =>
    restartUnderLoad(t, "tcp", (address) => ({ host: "127.0.0.1", port: (address as [string, number])[1] })));

  test("the same on an inherited Unix domain socket", (t) =>
    restartUnderLoad(t, join(temporaryFolder(t), "sluice.sock"), (address) => ({ path: address as string })));
});

test("the socket named admin is the admin port", { skip: withoutPython }, async (t) => {
  const holder = startHolder(t, ["tcp", "admin=tcp"]);
  const { addresses } = (await holder.line((line) => "addresses" in line)) as {
    addresses: [string, number][];
  };
  holder.child.stdin.write("start\n");
  const listening = await holder.line(({ msg }) => msg === "listening");
  assert.deepEqual([listening["port"], listening["adminPort"]], [addresses[0]![1], addresses[1]![1]]);
  const answer = await fetch(`http://127.0.0.1:${addresses[1]![1]}/readyz`);
  assert.equal(answer.status, 200);
  await answer.text();
  await holder.end();
});
