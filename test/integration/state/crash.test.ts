import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { auditLedger } from "../../../src/ledger/audit.ts";
import { openSqliteStore } from "../../../src/ledger/sqlite-store.ts";
import { fixture } from "./state-rig.ts";

/** The process is killed when it has printed this many receipts: before, in and behind index steps. */
const receiptsPerRound = [1, 40, 2_000, 2_060, 4_400];

it("a killed process leaves every receipt that it gave, and a whole chain", {
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-crash-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "ledger.db");
  const receipts = new Map<string, string[]>();
  for (const [round, count] of receiptsPerRound.entries()) {
    for (const line of await postAndKill(file, String(round), count)) {
      const fields = line.split(" ");
      assert.equal(receipts.has(fields[1] ?? ""), false);
      receipts.set(fields[1] ?? "", fields);
    }
    const store = openSqliteStore(file);
    assert.equal((await auditLedger(store)).ok, true);
    const checks = [...receipts].map(async ([id, [seq, , debit = "", credit = "", amount = ""]]) => {
      const again = await store.post({ id, debit, credit, amount: BigInt(amount) });
      assert.deepEqual(again, { seq: Number(seq), duplicate: true });
    });
    await Promise.all(checks);
    await store.close();
  }
});

async function postAndKill(file: string, round: string, count: number): Promise<string[]> {
  const conditions = process.execArgv.filter((arg) => arg.startsWith("--conditions"));
  const args = [...conditions, fixture("posting.ts"), `sqlite:${file}`, round, String(count)];
  // A file, not a pipe: writing to it is synchronous and never short.
  const printed = openSync(`${file}.${round}`, "w");
  const child = spawn(process.execPath, args, { stdio: ["ignore", printed, "inherit"] });
  closeSync(printed);
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  return readFileSync(`${file}.${round}`, "utf8").split("\n").slice(0, -1);
}
