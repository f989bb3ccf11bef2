import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonMissing, runPython } from "../support/python-peer.ts";
import { assertExact } from "../support/report.ts";
import { startServer } from "../support/server-process.ts";

const skip = pythonMissing();

/** What `use_ledger.py` prints. */
interface LedgerUse {
  readonly ping: null;
  readonly first: { readonly seq: number; readonly duplicate: boolean };
  readonly again: object;
  readonly several: readonly object[];
  readonly invalid: Readonly<Record<string, { readonly id: string; readonly message: string } | null>>;
  readonly balances: object;
  readonly entries: readonly unknown[];
  readonly counter: number;
  readonly audit: boolean;
  readonly unknown: { readonly type: number; readonly message: string };
  readonly after: number;
}

test("a Python client posts, reads and is refused what breaks a rule, framed and unframed", {
  skip,
}, async (t) => {
  const server = await startServer(t);
  for (const transport of ["framed", "unframed"]) {
    const prefix = `${transport}-`;
    const use = (await runPython("use_ledger", server.port, transport, prefix)) as LedgerUse;
    const { seq } = use.first;
    assert.equal(use.ping, null);
    assert.equal(use.first.duplicate, false);
    assert.deepEqual(use.again, { seq, duplicate: true });
    assert.deepEqual(use.several, [
      { seq: seq + 1, duplicate: false },
      { seq: seq + 2, duplicate: false },
    ]);
    assertRefusals(use.invalid, prefix);
    assert.deepEqual(use.balances, { cash: -1295, rent: 1295, none: 0 }, "refused entries changed nothing");
    assert.deepEqual(use.entries, [
      [`${prefix}1`, `${prefix}cash`, `${prefix}rent`, 1200, "Miete für März"],
      [`${prefix}2`, `${prefix}cash`, `${prefix}rent`, 100, null],
      [`${prefix}3`, `${prefix}rent`, `${prefix}cash`, 5, null],
    ]);
    assert.equal(use.counter, 7);
    assert.equal(use.audit, true);
    assert.equal(use.unknown.type, 1, "UNKNOWN_METHOD, on the wire");
    assert.match(use.unknown.message, /unknown method add/);
    assert.equal(use.after, 1295, "the connection goes on");
  }
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
  assert.deepEqual(
    [last["outcome"], last["rejected"], last["oneway"], last["failed"]],
    ["clean", 2, 4, 0],
    "of each of the two clients: one unknown method, two oneway calls",
  );
});

/** Each kind is refused with the id that the client gave and a message of its own. */
function assertRefusals(invalid: LedgerUse["invalid"], prefix: string): void {
  const ids = Object.fromEntries(Object.entries(invalid).map(([kind, refusal]) => [kind, refusal?.id]));
  assert.deepEqual(ids, {
    "empty id": "",
    "empty debit": `${prefix}a`,
    "empty credit": `${prefix}b`,
    "equal accounts": `${prefix}c`,
    "amount 0": `${prefix}d`,
    "amount below 0": `${prefix}e`,
    "other content": `${prefix}1`,
    "one of several": `${prefix}g`,
  });
  const about = {
    "empty id": /\bid\b/,
    "equal accounts": /account/,
    "amount 0": /amount/,
    "amount below 0": /amount/,
  };
  for (const [kind, pattern] of Object.entries(about)) assert.match(invalid[kind]!.message, pattern, kind);
}

for (const [transport, naming] of [
  ["framed", "plain"],
  ["unframed", "multiplexed"],
] as const) {
  test(`fb303's base methods answer a ${naming} Python client, ${transport}`, { skip }, async (t) => {
    const server = await startServer(t);
    const use = (await runPython("use_fb303", server.port, transport, naming)) as Record<string, unknown>;
    const { age, counters, version, ...rest } = use;
    assert.deepEqual(rest, {
      name: "Ledger",
      status: 2,
      details: "serving",
      counter: 1,
      noCounter: 0,
      option: "grün",
      options: { colour: "grün" },
      profile: "",
      afterShutdown: 2,
    });
    assert.match(version as string, /^\d+\.\d+\.\d+/);
    assert.ok((age as number) >= 0 && (age as number) < 60, `alive for ${age} s`);
    for (const counter of ["received", "completed", "cut", "owed"]) {
      assert.ok((counters as string[]).includes(counter), `a counter ${counter}`);
    }
    await server.line((line) => String(line["msg"]).includes("fb303 shutdown ignored"));
    server.signal();
    const { code, last } = await server.ended;
    assert.equal(code, 0);
    assertExact(last);
    assert.equal(last["oneway"], 2);
  });
}
