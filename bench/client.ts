/**
 * Sluice's client beside the npm package's, both against one Sluice server: `make bench-client`, or
 *
 *     node --conditions=sluice-source bench/client.ts [--calls 200000] [--concurrent 64] [--rounds 5] [--only sluice]
 *
 * With `--only sluice --calls 10000000` it shows whether memory stays where it is: it prints the heap every million calls.
 */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import thrift from "thrift";
import { createClient } from "thrift-sluice/client";
import { createScope } from "../test/fault/scope.ts";
import { startServer } from "../test/support/server-process.ts";
import Bench from "./gen/Bench.js";
import { Item } from "./gen/bench_types.js";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "200000" },
    concurrent: { type: "string", default: "64" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "npm,sluice,sluice-header" },
  },
});
const calls = Number(values.calls);
const concurrent = Number(values.concurrent);
const rounds = Number(values.rounds);

const item = new Item({
  id: 123456789,
  name: "hydraulic pump",
  owner: "warehouse-7",
  quantity: 12,
  price: 249.5,
  currency: "EUR",
  active: true,
  note: "inspect before shipping",
  updatedAtMs: 1700000000,
} as never);

/** Something that can be called, and closed. */
interface Contestant {
  echo(item: Item): Promise<Item>;
  close(): unknown;
}

const contestants: Readonly<Record<string, (port: number) => Promise<Contestant>>> = {
  npm: async (port) => {
    const options = { transport: thrift.TFramedTransport, protocol: thrift.TBinaryProtocol };
    const connection = thrift.createConnection("127.0.0.1", port, options);
    connection.on("error", (error) => console.error(error));
    await once(connection, "connect");
    const client = thrift.createClient(Bench, connection);
    return { echo: (given) => client.echo(given), close: () => connection.end() };
  },
  // On one connection, as the npm package's.
  sluice: async (port) => createClient(Bench, { endpoints: `127.0.0.1:${port}`, connections: 1 }),
  "sluice-header": async (port) =>
    createClient(Bench, { endpoints: `127.0.0.1:${port}`, connections: 1, transport: "header" }),
};

interface Measured {
  readonly perSecond: number;
  /** CPU time of this process per call, in µs. */
  readonly cpuUs: number;
}

/** Makes so many calls, `concurrent` at a time. */
async function measure(contestant: Contestant, count: number): Promise<Measured> {
  let left = count;
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const { quantity } = await contestant.echo(item);
      if (quantity !== 12) throw new Error("a wrong answer");
    }
  };
  const cpu = process.cpuUsage();
  const fromMs = performance.now();
  await Promise.all(Array.from({ length: concurrent }, caller));
  const tookMs = performance.now() - fromMs;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (1000 * count) / tookMs, cpuUs: (user + system) / count };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

await using scope = createScope();
const service = fileURLToPath(new URL("./service.ts", import.meta.url));
const server = await startServer(scope.t, { modules: [service], lifeMs: 3_600_000 });
const names = values.only.split(",");
const results = new Map<string, Measured[]>(names.map((name) => [name, []]));
const open = new Map<string, Contestant>();
for (const name of names) {
  open.set(name, await contestants[name]!(server.port));
  await measure(open.get(name)!, Math.min(calls, 30_000));
}
const million = 1_000_000;
// In turn, so that whatever else the machine does hits all alike.
for (let round = 0; round < rounds; round++) {
  for (const name of names) {
    for (let left = calls; left > 0; left -= million) {
      results.get(name)!.push(await measure(open.get(name)!, Math.min(left, million)));
      if (calls < million) continue;
      const { heapUsed, rss, external } = process.memoryUsage();
      const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
      console.log(`${name}: heap ${mib(heapUsed)}, external ${mib(external)}, rss ${mib(rss)}`);
    }
  }
}
const rate = (name: string): number => median(results.get(name)!.map(({ perSecond }) => perSecond));
for (const name of names) {
  const cpuUs = median(results.get(name)!.map((one) => one.cpuUs));
  const beside = names.includes("npm") ? `, ${(rate(name) / rate("npm")).toFixed(2)} × npm` : "";
  console.log(`${name}: ${Math.round(rate(name))} calls/s, ${cpuUs.toFixed(1)} µs of CPU a call${beside}`);
}
for (const contestant of open.values()) await contestant.close();
