/** What became of a client that calls while others are hostile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import type { ForeignLoad } from "./foreign-load.ts";

/** One call of the victim. */
export interface VictimCall {
  readonly tookMs: number;
  /** How late the victim's own thread was meanwhile. */
  readonly controlLateMs: number;
  /** Why it is no answer. */
  readonly error?: string;
}

/** The promise: so many ms at the 99th percentile. */
export const victimP99Ms = 50;
/** When others use more of the machine than this, the promise can't be looked at: then this must hold instead. */
const foreignShare = 0.1;
const disturbedP99Ms = 1_000;
/** Calls during which the victim's own thread was later than this say nothing. */
const voidMs = 15;

/** A window of the victim's calls. */
export interface VictimWindow {
  readonly calls: number;
  readonly errors: readonly string[];
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of the calls, those that were void, and the p99 with them. */
  readonly voidCalls: number;
  readonly p99WithVoidMs: number;
  readonly controlP99Ms: number;
}

export class Victim {
  readonly #worker: Worker;
  readonly #all: VictimCall[] = [];

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Starts calling; it is stopped at the end of the test. */
  static async start(t: TestContext, port: number, method = "add"): Promise<Victim> {
    const file = new URL("./victim-thread.ts", import.meta.url);
    const worker = new Worker(file, { workerData: { port, method } });
    t.after(() => worker.terminate());
    await once(worker, "message");
    return new Victim(worker);
  }

  /** The calls since the last time. */
  async window(): Promise<VictimWindow> {
    this.#worker.postMessage("take");
    const [calls] = (await once(this.#worker, "message")) as [VictimCall[]];
    this.#all.push(...calls);
    return windowOf(calls);
  }

  /** All calls of all windows. */
  get whole(): VictimWindow {
    return windowOf(this.#all);
  }

  async stop(): Promise<void> {
    await this.window();
    this.#worker.postMessage("stop");
    await once(this.#worker, "exit");
  }
}

/** Asserts that the victim saw no error, and was answered in time as far as its own thread was on time. */
export function assertUnharmed(t: TestContext, window: VictimWindow, load: ForeignLoad): void {
  assert.deepEqual(window.errors, []);
  const { share } = load;
  t.diagnostic(`victim: ${JSON.stringify(window)}; others used ${Math.round(share * 100)} % of the machine`);
  // What the server did not get of the machine it could not give to the victim.
  const limitMs = share <= foreignShare ? victimP99Ms : disturbedP99Ms;
  assert.ok(window.p99Ms <= limitMs, `p99 ${window.p99Ms} ms, others used ${Math.round(share * 100)} %`);
}

function windowOf(calls: readonly VictimCall[]): VictimWindow {
  const valid = calls.filter(({ controlLateMs }) => controlLateMs <= voidMs);
  return {
    calls: calls.length,
    errors: calls.flatMap(({ error }) => error ?? []),
    p99Ms: percentile(valid.map(({ tookMs }) => tookMs)),
    maxMs: round(Math.max(0, ...valid.map(({ tookMs }) => tookMs))),
    voidCalls: calls.length - valid.length,
    p99WithVoidMs: percentile(calls.map(({ tookMs }) => tookMs)),
    controlP99Ms: percentile(calls.map(({ controlLateMs }) => controlLateMs)),
  };
}

function percentile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
