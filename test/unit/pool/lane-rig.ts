/** Both ends of a lane in one thread, over a real message channel; the test says when the worker's end runs. */

import type { TestContext } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { Call } from "../../../src/calls/call.ts";
import type { FromWorker, ToWorker } from "../../../src/pool/control-messages.ts";
import { Lane } from "../../../src/pool/lane.ts";
import { CallResult, type LaneMemory, viewLaneMemory } from "../../../src/pool/lane-layout.ts";
import { type LaneCall, LaneLoop } from "../../../src/pool/lane-loop.ts";

/** A reply as the main thread got it. */
export interface GotReply {
  readonly call: Call;
  readonly result: number;
  readonly bytes: Buffer;
}

/** What a worker's end does with a call: reply now, or return true and reply later. */
export type Run = (call: LaneCall, bytes: Buffer, loop: LaneLoop) => boolean;

/** Replies with the message it got. */
export const echo: Run = (call, bytes, loop) => {
  loop.reply(call.slot, CallResult.COMPLETED, bytes, 0, bytes.length);
  return false;
};

export class LaneRig {
  readonly lane: Lane;
  readonly loop: LaneLoop;
  readonly memory: LaneMemory;
  readonly replies: GotReply[] = [];
  /** Messages that the worker ran, in order; copies. */
  readonly ran: Buffer[] = [];
  readonly toWorker: ToWorker[] = [];
  run: Run = echo;
  drains = 0;
  readonly #main: MessageChannel["port1"];

  constructor(t: TestContext) {
    const { port1, port2 } = new MessageChannel();
    t.after(() => port1.close());
    this.#main = port1;
    port1.unref();
    port2.unref();
    this.lane = new Lane(0, port1, {
      replied: (call, result, bytes, start, end) => {
        this.replies.push({ call, result, bytes: Buffer.from(bytes.subarray(start, end)) });
      },
      drained: () => {
        this.drains++;
      },
    });
    this.memory = viewLaneMemory(this.lane.memory.shared);
    const runner = {
      run: (call: LaneCall): boolean => {
        const bytes = Buffer.from(call.bytes.subarray(call.bodyStart, call.end));
        this.ran.push(bytes);
        return this.run(call, bytes, this.loop);
      },
    };
    this.loop = new LaneLoop(this.memory, port2, runner, (message) => this.toWorker.push(message));
    this.loop.listen();
  }

  /** Lets the worker's end take all calls that are in the ring and go to sleep. */
  async work(): Promise<void> {
    this.loop.start();
    await settle();
    // A turn takes a bounded number of calls only.
    for (let turn = 0; turn < 100 && this.lane.queued > 0; turn++) await settle(1);
  }

  /** Takes what the worker's end has put into the reply ring. */
  drain(): number {
    return this.lane.drain(() => this.receive());
  }

  /** Receives what the worker's end has posted. */
  receive(): FromWorker[] {
    const got: FromWorker[] = [];
    for (let next = receiveMessageOnPort(this.#main); next; next = receiveMessageOnPort(this.#main)) {
      const message = next.message as FromWorker;
      got.push(message);
      if (message?.kind === "reply") this.lane.external(message);
    }
    return got;
  }
}

/** A few turns of the event loop: all microtasks and posted messages have been taken then. */
export async function settle(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
