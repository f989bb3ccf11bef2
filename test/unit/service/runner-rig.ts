/** A runner over the probe's generated service, with handlers of the test's own. */

import type { RunResult } from "../../../src/service/answers.ts";
import type { CallLink } from "../../../src/service/call-context.ts";
import { methodsOf } from "../../../src/service/generated.ts";
import { Runner } from "../../../src/service/runner.ts";
import { BinaryReader } from "../../../src/wire/binary-reader.ts";
import { CompactReader } from "../../../src/wire/compact-reader.ts";
import { createReplyWriter } from "../../../src/wire/reply-writer.ts";
import Probe from "../../gen/Probe.js";
import { decodeMessage, encodeCall, type Fields, type Message } from "../../support/binary.ts";

type Handler = Record<string, (...args: never[]) => unknown>;

/** A reply as the lane would send it. */
export interface Replied {
  readonly slot: number;
  readonly result: RunResult;
  readonly oneway: boolean;
  /** Undefined when no reply is owed. */
  readonly message: Message | undefined;
}

export interface RunnerRigOptions {
  readonly exposeErrors?: boolean;
  readonly link?: Partial<CallLink>;
}

export class RunnerRig {
  readonly methods: ReturnType<typeof methodsOf> = methodsOf(Probe);
  readonly runner: Runner;
  readonly replies: Replied[] = [];
  readonly logged: { message: string; fields: Record<string, unknown> | undefined }[] = [];
  #slot = 0;
  #wakers: (() => void)[] = [];

  constructor(handler: Handler, { exposeErrors = false, link = {} }: RunnerRigOptions = {}) {
    const limits = { recursionLimit: 64, maxContainerElements: 1000 };
    this.runner = new Runner({
      codecs: [
        { reader: new BinaryReader(limits), writer: createReplyWriter("binary") },
        { reader: new CompactReader(limits), writer: createReplyWriter("compact") },
      ],
      link: { ...createLink(), ...link },
      exposeErrors,
      log: (_level, message, fields) => this.logged.push({ message, fields }),
      reply: (slot, result, oneway, bytes, start, end) => {
        const message = end > start ? decodeMessage(Buffer.from(bytes.subarray(start, end)), 0) : undefined;
        this.replies.push({ slot, result, oneway, message });
        for (const wake of this.#wakers.splice(0)) wake();
      },
    });
    const all = Object.fromEntries(this.methods.map(({ name }) => [name, () => undefined]));
    this.runner.add("Probe", Probe, this.methods, { ...all, ...handler });
  }

  /** Starts a call; returns its slot. */
  start(name: string, args: Fields = {}): number {
    const message = encodeCall(name, 77, args);
    return this.startBytes(name, message.subarray(4 + 4 + name.length + 4));
  }

  startBytes(name: string, body: Buffer): number {
    const slot = this.#slot++;
    const methodIndex = this.methods.findIndex((method) => method.name === name);
    const call = { slot, bytes: body, bodyStart: 0, end: body.length, methodIndex, seqid: 77 };
    this.runner.run({ ...call, protocol: 0, framed: false, headers: null });
    return slot;
  }

  /** Runs a call and resolves with its reply. */
  async call(name: string, args: Fields = {}): Promise<Replied> {
    const slot = this.start(name, args);
    for (;;) {
      const reply = this.replies.find((each) => each.slot === slot);
      if (reply !== undefined) return reply;
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }
}

function createLink(): CallLink {
  return {
    serialOf: (slot) => slot + 1,
    peerOf: (slot) => `127.0.0.1:${slot}`,
    deadlineOf: () => undefined,
    isAborted: () => false,
    isWaitedFor: () => false,
    protect() {},
    unprotect() {},
    background() {},
    onAbort() {},
  };
}
