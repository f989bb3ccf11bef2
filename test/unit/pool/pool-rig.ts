/** A lane pool on real threads with small fixture workers, and a listener that keeps what becomes of calls. */
import type { TestContext } from "node:test";
import type { Call, Caller } from "../../../src/calls/call.ts";
import type { LanesListener } from "../../../src/calls/lanes.ts";
import type { Outcome } from "../../../src/calls/outcome.ts";
import { createSystemClock } from "../../../src/lifecycle/clock.ts";
import { LanePool } from "../../../src/pool/lane-pool.ts";
import { createCall, FakeCaller } from "../calls/fakes.ts";

/** What became of a call. */
export type Fate = { readonly text: string; readonly outcome: Outcome } | "died" | "unservable";

export interface PoolRigOptions {
  readonly workers?: number;
  readonly failFirst?: "loaded" | "ready";
}

export class PoolRig implements LanesListener {
  readonly pool: LanePool;
  readonly fates: Map<Call, Fate[]> = new Map();
  readonly logged: { level: string; message: string; fields: Record<string, unknown> | undefined }[] = [];
  rooms = 0;
  /** Opened by the test: workers that stand go on. */
  readonly gates: Int32Array = new Int32Array(new SharedArrayBuffer(12));
  #wakers: (() => void)[] = [];

  constructor(t: TestContext, { workers = 2, failFirst }: PoolRigOptions = {}) {
    this.pool = new LanePool({
      workers,
      workerFile: new URL("./fixtures/pool-worker.ts", import.meta.url).href,
      modules: [],
      settings: {},
      workerMemoryBytes: undefined,
      callPatienceMs: 5_000,
      clock: createSystemClock(),
      mayWatch: true,
      listener: this,
      extra: { gates: this.gates, failFirst },
      log: (level, message, fields) => {
        this.logged.push({ level, message, fields });
      },
    });
    t.after(async () => {
      this.open();
      await this.pool.destroy(2000);
    });
  }

  async start(): Promise<this> {
    await this.pool.loaded();
    await this.pool.begin(() => ({ value: undefined, transfer: [] }));
    return this;
  }

  /** Hands over calls of one caller. */
  submit(texts: readonly string[], caller: Caller = new FakeCaller(() => {})): Call[] {
    const calls = texts.map((text) => createCall(Buffer.from(text), caller));
    this.pool.submit(calls, calls.length);
    return calls;
  }

  /** Resolves when every one of these calls has left the pool; their fates in order. */
  async fatesOf(calls: readonly Call[]): Promise<Fate[]> {
    while (!calls.every((call) => this.fates.has(call))) await this.something();
    return calls.map((call) => this.fates.get(call)!.at(-1)!);
  }

  /** What came of calls, as texts. */
  async texts(calls: readonly Call[]): Promise<string[]> {
    return (await this.fatesOf(calls)).map((fate) => (typeof fate === "string" ? fate : fate.text));
  }

  /** The lane of a worker that now stands in a call. */
  async standing(): Promise<number> {
    while (Atomics.load(this.gates, 1) === 0) await Atomics.waitAsync(this.gates, 1, 0).value;
    return Atomics.exchange(this.gates, 1, 0) - 1;
  }

  /** Lets workers go on that stand. */
  open(): void {
    Atomics.store(this.gates, 0, 1);
    Atomics.notify(this.gates, 0);
  }

  /** Resolves when the pool has told something. */
  something(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  replied(call: Call, outcome: Outcome, bytes: Buffer, start: number, end: number): void {
    this.#keep(call, { outcome, text: bytes.toString("latin1", start, end) });
  }

  repliesDrained(): void {}

  died(call: Call): void {
    this.#keep(call, "died");
  }

  unservable(call: Call): void {
    this.#keep(call, "unservable");
  }

  progressed(): void {}

  roomAgain(): void {
    this.rooms++;
    this.#wake();
  }

  #keep(call: Call, fate: Fate): void {
    call.inLane = false;
    const fates = this.fates.get(call) ?? [];
    this.fates.set(call, [...fates, fate]);
    this.#wake();
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}
