import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import Int64 from "node-int64";
import thrift from "thrift";
import Ledger from "../../gen/Ledger.js";
import types from "../../gen/ledger_types.js";
import Probe from "../gen/Probe.js";
import { assertExact } from "../support/report.ts";
import { startServer } from "../support/server-process.ts";

const transports = { framed: thrift.TFramedTransport, unframed: thrift.TBufferedTransport };

async function connect(
  t: TestContext,
  port: number,
  framing: keyof typeof transports,
): Promise<thrift.Connection> {
  const connection = thrift.createConnection("127.0.0.1", port, {
    transport: transports[framing],
    protocol: thrift.TBinaryProtocol,
  });
  t.after(() => connection.destroy());
  connection.on("error", () => {});
  await once(connection, "connect");
  return connection;
}

function entry(
  fields: Partial<Record<"id" | "debit" | "credit" | "memo", string>> & { amount?: number },
): types.Entry {
  const { amount = 100, ...rest } = fields;
  return new types.Entry({ id: "e", debit: "cash", credit: "rent", amount: new Int64(amount), ...rest });
}

for (const framing of ["framed", "unframed"] as const) {
  test(`the npm client posts, reads and is refused what breaks a rule, ${framing}`, async (t) => {
    const server = await startServer(t);
    const connection = await connect(t, server.port, framing);
    const ledger = thrift.createClient(Ledger, connection);
    await ledger.ping();
    const first = await ledger.post(entry({ id: "1", amount: 1200, memo: "März" }));
    assert.deepEqual([Number(first.seq), first.duplicate], [1, false]);
    const [again, several] = await Promise.all([
      ledger.post(entry({ id: "1", amount: 1200, memo: "März" })),
      ledger.postAll([entry({ id: "2" }), entry({ id: "3", debit: "rent", credit: "cash", amount: 5 })]),
    ]);
    assert.deepEqual([Number(again.seq), again.duplicate], [1, true]);
    assert.deepEqual(
      several.map(({ seq, duplicate }) => [Number(seq), duplicate]),
      [
        [2, false],
        [3, false],
      ],
    );

    const invalid: readonly [types.Entry, RegExp][] = [
      [entry({ id: "" }), /\bid\b/],
      [entry({ debit: "" }), /debit/],
      [entry({ credit: "" }), /credit/],
      [entry({ debit: "rent" }), /account/],
      [entry({ amount: 0 }), /amount/],
      [entry({ amount: -1 }), /amount/],
      [entry({ id: "1", amount: 1201, memo: "März" }), /./],
    ];
    for (const [refused, about] of invalid) {
      for (const call of [() => ledger.post(refused), () => ledger.postAll([entry({ id: "x" }), refused])]) {
        await assert.rejects(call, (error: unknown) => {
          assert.ok(error instanceof types.InvalidEntry, `InvalidEntry, not ${error}`);
          assert.equal(error.id, refused.id);
          assert.match(error.message, about);
          return true;
        });
      }
    }
    assert.equal(Number(await ledger.balance("rent")), 1295, "refused entries changed nothing");
    const entries = await ledger.entries("cash", new Int64(1), 10);
    assert.deepEqual(
      entries.map(({ id, amount }) => [id, Number(amount)]),
      [
        ["2", 100],
        ["3", 5],
      ],
    );
    ledger.track("seen", new Int64(3));
    ledger.track("seen", new Int64(4));
    assert.equal(Number((await ledger.counters())["seen" as never]), 7);
    const audit = await ledger.audit();
    assert.deepEqual([audit.ok, Number(audit.entries)], [true, 3]);
    connection.end();

    server.signal();
    const { code, last } = await server.ended;
    assert.equal(code, 0);
    assertExact(last);
    assert.deepEqual([last["received"], last["completed"], last["oneway"]], [24, 22, 2]);
  });

  test(`the npm client is told UNKNOWN_METHOD, with its type on the wire, ${framing}`, async (t) => {
    const server = await startServer(t);
    const connection = await connect(t, server.port, framing);
    // The ledger has no such service: what this client calls is not there.
    const stranger = thrift.createClient(Probe, connection);
    await assert.rejects(stranger.add(1, 2), (error: unknown) => {
      assert.ok(error instanceof thrift.Thrift.TApplicationException, `TApplicationException, not ${error}`);
      assert.equal((error as { type?: number }).type, thrift.Thrift.TApplicationExceptionType.UNKNOWN_METHOD);
      assert.match(error.message, /unknown method add/);
      return true;
    });
    const multiplexed = new thrift.Multiplexer().createClient(
      "Ledger",
      Ledger,
      await connect(t, server.port, framing),
    );
    assert.equal(Number(await multiplexed.balance("cash")), 0);
    connection.end();
    server.signal();
    const { code, last } = await server.ended;
    assert.equal(code, 0);
    assertExact(last);
    assert.deepEqual([last["completed"], last["rejected"]], [1, 1]);
  });
}
