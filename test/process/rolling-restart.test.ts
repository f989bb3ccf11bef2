/** Three replicas on PostgreSQL behind HAProxy, each restarted twice while clients of others' making go on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Int64 from "node-int64";
import thrift from "thrift";
import Ledger from "../../gen/Ledger.js";
import types from "../../gen/ledger_types.js";
import { freePorts } from "../support/free-ports.ts";
import { type ReplicaPorts, startHaproxy, withoutHaproxy } from "../support/haproxy.ts";
import { startPostgres, withoutPostgres } from "../support/postgres.ts";
import { pythonMissing, runPython } from "../support/python-peer.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

/** What a client tells at its end; times in seconds, the beginnings since 1970. */
interface ClientReport {
  readonly receipts: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
  readonly retries: number;
  readonly times: readonly (readonly [began: number, took: number])[];
}

const without: string | false = withoutHaproxy || withoutPostgres || pythonMissing();
/** How long clients run in, and then go on before the roll, for comparison, in ms. */
const warmUpMs = 2500;
const beforeMs = 4000;
const modes = ["persistent", "per-call"] as const;
/** Longer than HAProxy takes to see it: 500 + 200 ms and the time of a check. */
const lameDuck = "1500ms";

/** The npm client in the two modes of roll.py. */
async function runNpm(
  port: number,
  mode: (typeof modes)[number],
  prefix: string,
  stopped: () => boolean,
): Promise<ClientReport> {
  const receipts: Record<string, number> = {};
  const errors: string[] = [];
  const times: [number, number][] = [];
  let retries = 0;
  let client = mode === "persistent" ? await openNpm(port) : undefined;
  const post = async (entry: types.Entry): Promise<types.Receipt> => {
    if (mode === "per-call") {
      const once = await openNpm(port);
      return once.post(entry).finally(() => once.close());
    }
    try {
      return await client!.post(entry);
    } catch (error) {
      if (!(error instanceof LostError)) throw error;
      retries++;
      client = await openNpm(port);
      return client.post(entry);
    }
  };
  for (let number = 1; !stopped(); number++) {
    const id = `${prefix}-${number}`;
    const began = Date.now();
    try {
      const entry = new types.Entry({ id, debit: `${prefix}a`, credit: `${prefix}b`, amount: new Int64(1) });
      receipts[id] = Number((await post(entry)).seq);
    } catch (error) {
      errors.push(`${id}: ${error}`);
    }
    times.push([began / 1000, (Date.now() - began) / 1000]);
    await sleep(8);
  }
  client?.close();
  return { receipts, errors, retries, times };
}

class LostError extends Error {}

interface NpmClient {
  post(entry: types.Entry): Promise<types.Receipt>;
  close(): void;
}

/** The library leaves the calls of a lost connection waiting for ever: here they are rejected. */
async function openNpm(port: number): Promise<NpmClient> {
  const connection = thrift.createConnection("127.0.0.1", port, {
    transport: thrift.TFramedTransport,
    protocol: thrift.TBinaryProtocol,
  });
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  connection.on("error", (error: Error) => lost.reject(new LostError(error.message)));
  connection.on("close", () => lost.reject(new LostError("closed")));
  await Promise.race([once(connection, "connect"), lost.promise]);
  const ledger = thrift.createClient(Ledger, connection);
  return {
    post: (entry) => Promise.race([ledger.post(entry), lost.promise]),
    close: () => connection.end(),
  };
}

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length * 0.99)] ?? 0) * 10_000) / 10;
}

async function startReplica(t: TestContext, at: ReplicaPorts, store: string): Promise<ServerProcess> {
  const ports = ["--port", String(at.port), "--admin-port", String(at.adminPort)];
  return startServer(t, {
    args: [...ports, "--store", store, "--lame-duck", lameDuck, "--grace", "9s", "--log-level", "warn"],
  });
}

test("a rolling restart behind HAProxy: no error on connections per call, none after one retry on persistent ones", {
  skip: without,
}, async (t) => {
  await using postgres = await startPostgres({ settings: ["fsync=off"] });
  const store = await postgres.createDatabase();
  const ports = await freePorts(6);
  const places = [0, 1, 2].map((at) => ({ port: ports[at]!, adminPort: ports[at + 3]! }));
  const replicas = await Promise.all(places.map((at) => startReplica(t, at, store)));
  const haproxy = await startHaproxy(t, places);
  await haproxy.untilReady(3);

  const stopFile = join(temporaryFolder(t), "stop");
  let stop = false;
  const clients = modes.flatMap((mode) => [
    ...["p", "q"].map((who) => ({
      mode,
      report: runPython("roll", haproxy.port, mode, `${who}${mode}`, stopFile) as Promise<ClientReport>,
    })),
    { mode, report: runNpm(haproxy.port, mode, `n${mode}`, () => stop) },
  ]);
  await sleep(warmUpMs);
  const beforeFrom = Date.now() / 1000;
  await sleep(beforeMs);
  const rollFrom = Date.now() / 1000;
  for (let round = 0; round < 2; round++) {
    for (const [index, at] of places.entries()) {
      replicas[index]!.signal();
      const ended = await replicas[index]!.ended;
      assert.equal(ended.code, 0, JSON.stringify(ended.last));
      replicas[index] = await startReplica(t, at, store);
      await haproxy.untilReady(3);
    }
  }
  const rollTo = Date.now() / 1000;
  stop = true;
  writeFileSync(stopFile, "");

  const receipts = new Map<number, string>();
  for (const mode of modes) {
    const reports = await Promise.all(
      clients.filter((client) => client.mode === mode).map(({ report }) => report),
    );
    for (const report of reports) {
      for (const [id, seq] of Object.entries(report.receipts)) {
        assert.ok(!receipts.has(seq), `${id} and ${receipts.get(seq)} have one place`);
        receipts.set(seq, id);
      }
    }
    const times = reports.flatMap((report) => report.times);
    const during = times.filter(([began]) => began >= rollFrom && began < rollTo).map(([, took]) => took);
    const before = times.filter(([began]) => began >= beforeFrom && began < rollFrom).map(([, took]) => took);
    const errors = reports.flatMap((report) => report.errors);
    t.diagnostic(
      `${mode}: ${times.length} posts, ${errors.length} errors, ${reports.map(({ retries }) => retries)} retries, ` +
        `p99 ${p99(before)} ms before and ${p99(during)} ms during ${(rollTo - rollFrom).toFixed(1)} s of roll`,
    );
    assert.deepEqual(errors, []);
  }
  const rows = await postgres.query(store, "SELECT seq, id FROM sluice_entries ORDER BY seq");
  assert.deepEqual(
    rows.map(({ seq, id }) => [Number(seq), id]),
    [...receipts].toSorted(([a], [b]) => a - b),
    "what is in PostgreSQL is what there are receipts for, each once",
  );
});
