/** Asks a server's admin port. */
import { setTimeout as sleep } from "node:timers/promises";
import type { StatusDocument } from "../../src/admin/status.ts";
import type { ServerProcess } from "./server-process.ts";

/** An answer of the admin port. */
export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
  /** From the request to the last byte. */
  readonly tookMs: number;
}

/** Between two looks, in ms. */
const lookMs = 5;
const longestWaitMs = 20_000;

/** Gets a path over a connection of its own. */
export async function ask(server: Pick<ServerProcess, "adminUrl">, path: string): Promise<AdminAnswer> {
  const fromMs = performance.now();
  const response = await fetch(`${server.adminUrl}${path}`, { headers: { connection: "close" } });
  const text = await response.text();
  return { status: response.status, text, tookMs: performance.now() - fromMs };
}

/** The status document. */
export async function statusOf(server: Pick<ServerProcess, "adminUrl">): Promise<StatusDocument> {
  return JSON.parse((await ask(server, "/statusz")).text) as StatusDocument;
}

/** Looks until the status fits, and returns it. @throws after 20 s, with the last status */
export async function untilStatus(
  server: Pick<ServerProcess, "adminUrl">,
  fits: (status: StatusDocument) => boolean,
): Promise<StatusDocument> {
  const untilMs = performance.now() + longestWaitMs;
  for (;;) {
    const status = await statusOf(server);
    if (fits(status)) return status;
    if (performance.now() > untilMs) throw new Error(`never became so: ${JSON.stringify(status)}`);
    await sleep(lookMs);
  }
}

/** Looks until `/readyz` answers with a status, and returns the answer. */
export async function untilReadyz(
  server: Pick<ServerProcess, "adminUrl">,
  status: number,
): Promise<AdminAnswer> {
  const untilMs = performance.now() + longestWaitMs;
  for (;;) {
    const answer = await ask(server, "/readyz");
    if (answer.status === status) return answer;
    if (performance.now() > untilMs) throw new Error(`/readyz never became ${status}: ${answer.text}`);
    await sleep(lookMs);
  }
}
