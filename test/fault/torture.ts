/**
 * Tortures ledger servers and checks that no receipt was a lie.
 *
 *   node --conditions=sluice-source test/fault/torture.ts [--variant NAME] [--rounds N] [--seed S]
 *
 * Variants: sigkill, state-death, sigstop, sigterm (one server on SQLite), replicas-2, replicas-3 (on PostgreSQL).
 * The same seed gives the same entries and the same moments; what the machine makes of them differs a little.
 */
import { parseArgs } from "node:util";
import { type Ending, tortureOneServer } from "./one-server.ts";
import { tortureReplicas } from "./replicas.ts";

const { values } = parseArgs({
  options: {
    variant: { type: "string", default: "sigkill" },
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed);
const tell = (text: string): void => console.log(text);

const startMs = performance.now();
console.log(`--variant ${values.variant} --rounds ${rounds} --seed ${seed}`);
const [kind, count] = values.variant.split("-");
const result =
  kind === "replicas"
    ? await tortureReplicas({ replicas: Number(count), rounds, seed, tell })
    : await tortureOneServer({ ending: values.variant as Ending, rounds, seed, tell });
const tookS = Math.round((performance.now() - startMs) / 1_000);
console.log(`${values.variant}: all receipts held in ${tookS} s: ${JSON.stringify(result)}`);
