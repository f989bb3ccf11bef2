/** The recipes of docs/clients.md, each posting while its server is replaced by another on the same port. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { resultOf } from "../support/ledger-calls.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { startServer, temporaryFolder } from "../support/server-process.ts";
import { type LibraryId, libraries } from "./cells.ts";
import { assertPresent, peers, skipped } from "./peers.ts";
import { recipes } from "./recipes.ts";

for (const { id, label } of libraries) {
  test(`the recipe for ${label} loses no entry and posts none twice when its server is replaced`, {
    skip: skipped(id),
    timeout: 240_000,
  }, async (t) => {
    assertPresent(id);
    const store = `sqlite:${join(temporaryFolder(t), "ledger.db")}`;
    const args = ["--store", store, "--busy-close", "150ms"];
    const first = await startServer(t, { args });
    const client = await startRecipe(t, id, first.port);

    for (let amount = 1; amount <= 5; amount++) await client.post(amount);
    first.signal();
    let replaced = false;
    const second = first.ended.then(async ({ code, last }) => {
      assert.equal(code, 0);
      assertExact(last);
      const next = await startServer(t, { args: [...args, "--port", String(first.port)] });
      replaced = true;
      return next;
    });
    let amount = 6;
    // All the while: at first the old server answers, then nobody, then the new one.
    for (; !replaced; amount++) await client.post(amount);
    for (let more = 0; more < 5; more++) await client.post(amount++);
    await client.end();

    const posted = amount - 1;
    const numbers = Array.from({ length: posted }, (_, at) => String(at + 1));
    assert.deepEqual(client.receipts, numbers, "each entry is in the ledger once, in order");
    const raw = await connectRaw(t, { connect: { port: (await second).port } });
    const balance = await resultOf(raw, "balance", { 1: { string: "rent" } });
    assert.equal(balance, BigInt((posted * (posted + 1)) / 2));
  });
}

/** A running recipe. */
interface Running {
  readonly receipts: readonly string[];
  /** Has it post an entry of this amount; resolves with its receipt. */
  post(amount: number): Promise<void>;
  /** Ends its input. @throws when it does not end well */
  end(): Promise<void>;
}

async function startRecipe(t: TestContext, id: LibraryId, port: number): Promise<Running> {
  const program = { name: "recipe", source: recipes[id].source, idl: "idl/ledger.thrift" };
  const { file, args, env = {} } = await peers[id].prepare(program);
  const child: ChildProcess = spawn(file, [...args, String(port)], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  t.after(() => child.kill("SIGKILL"));
  let errors = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  child.stdin!.on("error", () => {});
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const receipts: string[] = [];
  return {
    receipts,
    async post(amount) {
      child.stdin!.write(`entry-${amount} ${amount}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the recipe ended: ${errors}`);
      receipts.push(value);
    },
    async end() {
      child.stdin!.end();
      const [code, signal] = await closed;
      assert.equal(code ?? signal, 0, errors);
    },
  };
}
