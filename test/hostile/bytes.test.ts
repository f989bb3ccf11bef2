/** Hostile bytes against one server, while a client that means well calls it all the time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { statusOf } from "../support/admin.ts";
import { assertExact } from "../support/report.ts";
import { ForeignLoad } from "./foreign-load.ts";
import { memoryBoundBytes, memoryOf, startHostileServer } from "./hostile-server.ts";
import { graceMs, type Observation, observe, Probe } from "./observe.ts";
import { rows, wholeCalls } from "./rows.ts";
import { assertUnharmed, Victim } from "./victim.ts";

const atOnce = 8;
/** Connections that wait for a limit of time cost nothing meanwhile. */
const cutAtOnce = 100;
/** For a WebSocket without a frame it is idleTimeout that counts, and then its closing handshake. */
const longestMs = 3_500;

test("hostile bytes end in a typed exception or a close in time, and nobody else notices", {
  timeout: 110_000,
}, async (t) => {
  const server = await startHostileServer(t);
  const victim = await Victim.start(t, server.port);
  const load = new ForeignLoad([server.pid]);
  const idle = memoryOf(server).now;

  const seen = await inParallel(rows, (row) => observe(server.port, row));
  await t.test(`${rows.length} rows`, async (t) => {
    for (const [at, row] of rows.entries()) {
      await t.test(row.name, () => assert.equal((seen[at] as Observation).what, row.expected));
    }
  });

  for (const { name, bytes, wholeAt = 0 } of wholeCalls) {
    await t.test(`${name}: cut off at each of its ${bytes.length} bytes, with and without FIN`, async () => {
      const lengths = Array.from({ length: bytes.length - 1 - wholeAt }, (_, at) => at + 1);
      const results = await inParallel(
        lengths,
        async (length) => {
          const [ends, waits] = [new Probe(server.port), new Probe(server.port)];
          ends.socket.end(bytes.subarray(0, length));
          waits.socket.write(bytes.subarray(0, length));
          await Promise.all([ends.untilEnd(graceMs), waits.untilEnd(longestMs)]);
          const told = [ends, waits].map(
            ({ ended, received }) => `${ended ? "ended" : "open"}${answerOf(received)}`,
          );
          for (const { socket } of [ends, waits]) socket.destroy();
          return `${length}: ${told}`;
        },
        cutAtOnce,
      );
      // An answer is right only where HTTP gives one: to a request that is not whole.
      assert.deepEqual(
        results,
        lengths.map((length) => `${length}: ended,ended`),
      );
    });
  }

  await victim.stop();
  const window = victim.whole;
  const { peak } = memoryOf(server);
  t.diagnostic(
    `memory: ${mib(idle)} MiB idle, ${mib(peak)} MiB at most, bound ${mib(memoryBoundBytes(idle))} MiB`,
  );
  const status = await statusOf(server);
  t.diagnostic(`limits: ${JSON.stringify(status.limits)}`);
  assertUnharmed(t, window, load);
  assert.ok(peak <= memoryBoundBytes(idle));
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
});

/** A Thrift answer; of HTTP's there is one to say that the request was not whole, and an upgrade's. */
function answerOf(received: Buffer): string {
  if (received.length === 0 || /^HTTP\/1\.1 (400|408|101)/.test(received.toString("latin1", 0, 20)))
    return "";
  return ` with ${received.toString("hex", 0, 40)}`;
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  each: (item: Item) => Promise<Result>,
  most: number = atOnce,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await each(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: most }, run));
  return results;
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
