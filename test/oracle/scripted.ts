/** Starts the scripted service of `service.ts` and reads its journal. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Fields, Message, PlainStruct } from "../support/binary.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

/** The service module. */
export const scriptedModule: string = fileURLToPath(new URL("service.ts", import.meta.url));

/** A server with the scripted service. */
export interface ScriptedServer extends ServerProcess {
  /** The file that executions are written to. */
  readonly journal: string;
}

/** Starts the scripted service with these flags. */
export async function scriptedServer(t: TestContext, args: readonly string[] = []): Promise<ScriptedServer> {
  const journal = join(temporaryFolder(t), "journal");
  const server = await startServer(t, { modules: [scriptedModule], args, env: { ORACLE_JOURNAL: journal } });
  return Object.assign(server, { journal });
}

/** The arguments of a call that does what `text` says: see `service.ts`. */
export function script(text: string): Fields {
  return { 1: { string: text } };
}

/** What a reply says: the answer's text, or the exception's. */
export function textOf(reply: Message): string {
  const field = reply.type === 3 ? 1 : 0;
  return (reply.body as PlainStruct)[field]?.toString() ?? "";
}

/** The journal's lines so far. */
export function journalOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

/** A call's start. */
export interface Start {
  readonly id: string;
  readonly worker: number;
  /** On a clock that all workers share. */
  readonly atMs: number;
  /** What its worker journaled last before it: until then it was busy with another call. */
  readonly workerFreeAtMs: number;
}

/** The calls that started, in the order in which they did. */
export function startsOf(path: string): Start[] {
  const starts: Start[] = [];
  const freeAtMs = new Map<string, number>();
  for (const line of journalOf(path)) {
    const [what, id = "", worker = "", time] = line.split(" ");
    if (what !== "start" && what !== "leave") continue;
    const atMs = Number(time);
    const workerFreeAtMs = freeAtMs.get(worker) ?? 0;
    if (what === "start") starts.push({ id, worker: Number(worker), atMs, workerFreeAtMs });
    freeAtMs.set(worker, atMs);
  }
  return starts;
}

/** Resolves with the worker that started a call, as soon as it did. @throws after 10 s */
export async function startedIn(path: string, id: string): Promise<number> {
  const untilMs = performance.now() + 10_000;
  while (performance.now() < untilMs) {
    const start = startsOf(path).find((start) => start.id === id);
    if (start !== undefined) return start.worker;
    await sleep(3);
  }
  throw new Error(`the call ${id} did not start: ${journalOf(path).join(", ")}`);
}
