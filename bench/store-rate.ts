/**
 * How many posts a second a ledger's store takes, as a worker would send them: through the state thread's channel.
 *
 *   node --conditions=sluice-source bench/store-rate.ts [STORE] [IN-FLIGHT] [SECONDS]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LedgerStore } from "../src/ledger/store.ts";
import type { RemoteOf } from "../src/service/resource-types.ts";
import { connectState } from "../src/state/state-client.ts";
import { StateThread } from "../src/state/state-thread.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-store-rate-"));
const [address = `sqlite:${join(folder, "ledger.db")}`, inFlight = "64", seconds = "5"] =
  process.argv.slice(2);
const thread = await StateThread.start({
  modules: [fileURLToPath(new URL("../src/ledger/service.ts", import.meta.url))],
  settings: { store: address },
  onDeath: (error) => {
    throw error;
  },
  onLog: () => {},
});
const store = connectState(thread.connect(), thread.resources)["Ledger"]?.[
  "store"
] as unknown as RemoteOf<LedgerStore>;

const times: number[] = [];
const startMs = performance.now();
const endMs = startMs + Math.min(60, Number(seconds)) * 1_000;

async function client(name: number): Promise<void> {
  for (let i = 0; performance.now() < endMs; i++) {
    const beganMs = performance.now();
    await store.post({
      id: `${startMs}-${name}-${i}`,
      debit: `d${i % 997}`,
      credit: `c${i % 991}`,
      amount: BigInt(1 + (i % 9)),
      memo: "a memo of a length that is usual in such a ledger",
    });
    times.push(performance.now() - beganMs);
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, (_, name) => client(name)));
const tookS = (performance.now() - startMs) / 1_000;
const { commits, posts, largest, totalMs, longestMs } = await store.commits();
await thread.close(5_000);
rmSync(folder, { recursive: true, force: true });

times.sort((a, b) => a - b);
const at = (share: number): string => `${times[Math.floor((times.length - 1) * share)]?.toFixed(2)} ms`;
console.log(`${inFlight} in flight, ${address.replace(/\/\/.*@/, "//")}`);
console.log(
  `  ${Math.round(times.length / tookS)} posts/s; a post takes p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, at most ${at(1)}`,
);
console.log(
  `  ${commits} commits of ${(posts / commits).toFixed(1)} posts, at most ${largest}; a commit takes ${(totalMs / commits).toFixed(2)} ms, at most ${longestMs.toFixed(2)} ms`,
);
