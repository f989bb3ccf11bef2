import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Call } from "../../../src/calls/call.ts";
import type { FromWorker } from "../../../src/pool/control-messages.ts";
import { Lane } from "../../../src/pool/lane.ts";
import { largestInRingBytes } from "../../../src/pool/lane-layout.ts";
import { createRun } from "../calls/fakes.ts";

/** Numbers that look random and are the same in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Mostly small; now and then one that fills a good part of the ring, rarely one that does not fit into it. */
function sizeOf(random: () => number): number {
  const kind = random();
  if (kind < 0.9) return 5 + Math.floor(random() * 250);
  if (kind < 0.9985) return 5 + Math.floor(random() * 4000);
  return kind < 0.9997 ? 60_000 : largestInRingBytes + 1 + Math.floor(random() * 1000);
}

class Stress {
  readonly total: number;
  readonly runs: Int32Array;
  readonly answered: Uint8Array;
  readonly wrong: string[] = [];
  readonly #random = createRandom(4711);
  readonly #lane: Lane;
  readonly #port: MessagePort;
  #made = 0;
  #answers = 0;
  #waiting: Call[] = [];
  takenBack = 0;
  readonly done = Promise.withResolvers<void>();

  constructor(t: TestContext, total: number) {
    this.total = total;
    this.runs = new Int32Array(new SharedArrayBuffer(4 * total));
    this.answered = new Uint8Array(total);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#lane = new Lane(0, port1, {
      replied: (call, _result, bytes, start, end) => this.#check(call, bytes.subarray(start, end)),
      drained() {},
    });
    const workerData = { shared: this.#lane.memory.shared, port: port2, runs: this.runs };
    const worker = new Worker(new URL("./fixtures/stress-worker.ts", import.meta.url), {
      workerData,
      transferList: [port2],
    });
    worker.on("error", (error) => this.done.reject(error));
    t.after(() => worker.terminate());
    port1.on("message", (message: FromWorker) => {
      if (message?.kind === "reply") this.#lane.external(message);
      else this.#lane.drain(() => this.#receive());
    });
    t.after(() => port1.close());
  }

  /** One turn: hand over, disturb, take what is there. */
  turn = (): void => {
    if (this.#waiting.length < 2000 && this.#made < this.total) this.#waiting.push(...this.#make());
    const next = this.#lane.hand(this.#waiting, 0, this.#waiting.length, 0);
    this.#waiting = this.#waiting.slice(next);
    this.#lane.wake();
    const disturb = this.#random();
    if (disturb < 0.1) this.#takeBack(this.#lane.takeBack());
    else if (disturb < 0.3) this.#takeSome();
    this.#lane.drain(() => this.#receive());
    if (this.#answers < this.total) setImmediate(this.turn);
    else this.done.resolve();
  };

  #recent: Call[] = [];

  #make(): Call[] {
    const count = Math.min(this.total - this.#made, 1 + Math.floor(this.#random() * 300));
    const messages = Array.from({ length: count }, () => {
      const message = Buffer.alloc(sizeOf(this.#random), this.#made & 0xff);
      message.writeUInt32LE(this.#made++, 0);
      message[4] = Math.floor(this.#random() * 20);
      return message;
    });
    this.#recent = createRun(messages);
    return [...this.#recent];
  }

  #takeSome(): void {
    this.#takeBack(this.#recent.filter((call, at) => at % 3 === 0 && this.#lane.takeOne(call)));
  }

  #takeBack(calls: readonly Call[]): void {
    this.takenBack += calls.length;
    this.#waiting = [...calls, ...this.#waiting];
  }

  #check(call: Call, reply: Buffer): void {
    const number = reply.readUInt32LE(0);
    if (reply.length !== call.end - call.start) this.wrong.push(`reply ${number} has ${reply.length} bytes`);
    for (let at = 5; at < reply.length; at += 61) {
      if (reply[at] !== (number & 0xff)) this.wrong.push(`reply ${number} has a wrong byte at ${at}`);
    }
    this.answered[number]!++;
    this.#answers++;
  }

  #receive(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      const message = got.message as FromWorker;
      if (message?.kind === "reply") this.#lane.external(message);
    }
  }
}

const bounded = { timeout: 60_000 };

describe("a lane with a worker thread", () => {
  it(
    "runs each of 200,000 calls once and answers it right, however many are taken back",
    bounded,
    async (t) => {
      const stress = new Stress(t, 200_000);
      stress.turn();
      await stress.done.promise;
      assert.deepEqual(stress.wrong.slice(0, 5), []);
      assert.ok(
        stress.runs.every((runs) => runs === 1),
        "each ran exactly once",
      );
      assert.ok(
        stress.answered.every((answers) => answers === 1),
        "each was answered exactly once",
      );
      assert.ok(stress.takenBack > 1000, `${stress.takenBack} calls were taken back`);
      t.diagnostic(`${stress.takenBack} calls were taken back`);
    },
  );
});
