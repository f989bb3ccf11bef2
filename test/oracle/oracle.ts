/**
 * The oracle: one seed is one server process, random clients, a stop at a random time, and then the question whether
 * every promise was kept. `node --conditions=sluice-source test/oracle/oracle.ts --seed N` repeats a seed; what the clock decides may differ.
 */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";
import { violationsOf } from "./check.ts";
import { OracleClient } from "./client.ts";
import { type ClientPlan, planOf, type SeedPlan } from "./plan.ts";
import { Random } from "./random.ts";
import { inScope } from "./scope.ts";
import { scriptedModule, startsOf } from "./scripted.ts";

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly executed: number;
  /** The report: the last line of the server's log. */
  readonly report: Readonly<Record<string, unknown>>;
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** Runs one seed. */
export function runSeed(seed: number): Promise<SeedResult> {
  return inScope((scope) => runPlan(scope, planOf(seed), join(temporaryFolder(scope), "journal")));
}

async function runPlan(scope: TestContext, plan: SeedPlan, journal: string): Promise<SeedResult> {
  const env = { ORACLE_JOURNAL: journal };
  const server = await startServer(scope, { modules: [scriptedModule], args: plan.args, env });
  const stopped = Promise.withResolvers<void>();
  const clients: OracleClient[] = [];
  const hurting: OracleClient[] = [];
  const work = [
    ...plan.clients.map(async (client) => {
      await sleep(client.connectAtMs);
      const made = new OracleClient(client, server.port);
      clients.push(made);
      await made.run(stopped.promise);
    }),
    ...plan.hurts.map(async ({ steps, atMs }, at) => {
      await sleep(atMs);
      const made = new OracleClient(hurtingClient(1000 + at), server.port);
      hurting.push(made);
      await made.once(` ${steps}`);
    }),
  ];
  await sleep(plan.stop.atMs);
  const stopAtMs = performance.now();
  await askToStop(server, plan.stop.by);
  stopped.resolve();
  const { again } = plan.stop;
  if (again !== undefined) {
    await sleep(again.afterMs);
    await askToStop(server, again.by);
  }
  const ended = await server.ended;
  await Promise.all(work);
  await Promise.all([...clients, ...hurting].map((client) => client.over));
  const executed = startsOf(journal);
  const violations = violationsOf({ plan, clients, hurting, executed, ended, stopAtMs });
  return { seed: plan.seed, violations, executed: executed.length, report: ended.last, log: ended.lines };
}

/** A client that makes one call and waits. */
function hurtingClient(id: number): ClientPlan {
  return { id, kind: "idle", framed: true, random: new Random(id), connectAtMs: 0 };
}

/** A POST may come too late: then the server has stopped already. */
async function askToStop(server: ServerProcess, by: "SIGTERM" | "POST"): Promise<void> {
  if (by === "SIGTERM") server.signal();
  else {
    await fetch(`${server.adminUrl}/drain`, {
      method: "POST",
      headers: { "x-sluice-admin": "oracle", connection: "close" },
    }).catch(() => {});
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seed: { type: "string", default: "1" } } });
  const { violations, executed, report, log } = await runSeed(Number(values.seed));
  const { clients, ...plan } = planOf(Number(values.seed));
  console.log({ ...plan, clients: clients.map(({ kind }) => kind).join(" "), executed });
  for (const line of log) console.log(JSON.stringify(line));
  for (const violation of violations) console.error(`✖ ${violation}`);
  if (violations.length === 0) console.log(`✔ ${report["received"]} calls, and every promise was kept`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
