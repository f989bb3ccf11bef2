/**
 * Many seeds of the oracle, and then ten connect storms:
 * `node --conditions=sluice-source test/oracle/soak.ts --drains 1000 [--seed-start N] [--parallel 2]`.
 */
import { parseArgs } from "node:util";
import { runSeed } from "./oracle.ts";
import { inScope } from "./scope.ts";
import { connectStorm } from "./storm.ts";

const { values } = parseArgs({
  options: {
    drains: { type: "string", default: "1000" },
    "seed-start": { type: "string", default: "1" },
    parallel: { type: "string", default: "2" },
  },
});
const first = Number(values["seed-start"]);
const drains = Number(values.drains);
let next = first;
let executed = 0;
const failed: number[] = [];
let failedStorms = 0;

async function runSome(): Promise<void> {
  while (next < first + drains) {
    const seed = next++;
    try {
      const result = await runSeed(seed);
      executed += result.executed;
      if (result.violations.length > 0) tell(seed, result.violations);
    } catch (error) {
      tell(seed, [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
    }
    const done = seed - first + 1;
    if (done % 50 === 0)
      console.log(`${done} drains, ${executed} calls executed, ${failed.length} seeds failed`);
  }
}

function tell(seed: number, violations: readonly string[]): void {
  failed.push(seed);
  console.error(
    `✖ seed ${seed}; again with: node --conditions=sluice-source test/oracle/oracle.ts --seed ${seed}`,
  );
  for (const violation of violations.slice(0, 10)) console.error(`    ${violation}`);
}

/** Connect storms during a stop, ten as the oracle's promise has it. */
async function runStorms(): Promise<void> {
  for (let storm = 1; storm <= 10; storm++) {
    const { clients, answered } = await inScope((scope) => connectStorm(scope, 400));
    if (answered === clients) continue;
    failedStorms++;
    console.error(`✖ connect storm ${storm}: ${answered} of ${clients} clients were answered`);
  }
}

await Promise.all(Array.from({ length: Number(values.parallel) }, runSome));
await runStorms();
console.log(`${drains} drains, ${executed} calls executed; failed seeds: ${failed.join(", ") || "none"}`);
process.exitCode = failed.length + failedStorms > 0 ? 1 : 0;
