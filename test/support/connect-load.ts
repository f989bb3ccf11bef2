/** Clients that connect at a steady rate, call once, and leave: what a restart must not disturb. */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { decodeMessage, encodeCall, frame, MessageType } from "./binary.ts";

/** What came of all connections. */
export interface LoadResult {
  readonly started: number;
  readonly answered: number;
  /** How often what went wrong: `ECONNREFUSED`, `ECONNRESET`, `EOF` (closed without an answer) … */
  readonly failed: Readonly<Record<string, number>>;
  /** The longest time from connect to answer, in ms. */
  readonly slowestMs: number;
}

export interface ConnectLoad {
  /** Connections answered so far. */
  readonly answered: number;
  /** Starts no more, and resolves when all have come to their end. */
  stop(): Promise<LoadResult>;
}

const patienceMs = 20_000;
/** Bounds the load whatever the test does. */
const mostConnections = 20_000;

/** Starts it; it ends with the test at the latest. @param perSecond how many connections a second */
export function startConnectLoad(t: TestContext, where: NetConnectOpts, perSecond: number): ConnectLoad {
  const failed: Record<string, number> = {};
  let started = 0;
  let answered = 0;
  let slowestMs = 0;
  const pending = new Set<Promise<void>>();
  const fromMs = performance.now();

  async function one(): Promise<void> {
    const startedMs = performance.now();
    const problem = await callOnce(where);
    if (problem === undefined) answered++;
    else failed[problem] = (failed[problem] ?? 0) + 1;
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }

  const timer = setInterval(() => {
    // Timers are late on a busy machine: the rate is kept over time.
    const due = Math.min(mostConnections, ((performance.now() - fromMs) / 1000) * perSecond);
    for (; started < due; started++) {
      const call = one().finally(() => pending.delete(call));
      pending.add(call);
    }
  }, 1000 / perSecond);

  t.after(() => clearInterval(timer));

  return {
    get answered() {
      return answered;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      return { started, answered, failed, slowestMs: Math.round(slowestMs) };
    },
  };
}

/** @returns what went wrong; undefined when the answer came */
function callOnce(where: NetConnectOpts): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket: Socket = connect(where);
    let received = Buffer.alloc(0);
    const end = (problem?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => end("TIMEOUT"), patienceMs);
    socket.on("connect", () => socket.write(frame(encodeCall("ping", 1, {}, MessageType.CALL))));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE()) return;
      const type = decodeMessage(received, 4)?.type;
      end(type === MessageType.REPLY ? undefined : `exception ${type}`);
    });
    socket.on("end", () => end("EOF"));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => end(code ?? "error"));
  });
}
