/**
 * The worker's half of a lane: takes calls out of the request ring and has them run. Their replies: `reply-ring.ts`.
 *
 * Two rules make it safe to share a worker:
 * - A reply is in the ring before the next handler starts. A handler that returned a promise which
 *   needs no more than a few microtasks is waited for in the same way, so that a slow or deadly
 *   neighbour behind it can't take its reply along.
 * - A turn ends after a bounded number of calls, so that timers and sockets of the worker get theirs.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { createSystemClock } from "../lifecycle/clock.ts";
import type { ToWorker } from "./control-messages.ts";
import { Control, type LaneMemory, Slot, SlotFlag, SlotState, slotCount } from "./lane-layout.ts";
import { ReplyRing } from "./reply-ring.ts";

/** Milliseconds on the scale that all threads share. */
const preciseNowMs: () => number = createSystemClock().now;

const callsPerTurn = 128;
const mostHops = 8;
const slotMask: number = slotCount - 1;

/** A call as its runner sees it. One object is reused: take what you need before you return. */
export interface LaneCall {
  slot: number;
  /** The message is `bytes[start, end)`, its arguments begin at `bodyStart`; valid during `run` only. */
  bytes: Buffer;
  bodyStart: number;
  end: number;
  methodIndex: number;
  seqid: number;
  replyForm: number;
  /** A copy of the header block that came with the call; null when there was none. */
  headers: Buffer | null;
}

/** Runs calls. */
export interface CallRunner {
  /** Starts a call. Returns true when its reply will come later, false when it was given already. */
  run(call: LaneCall): boolean;
}

export class LaneLoop {
  readonly #memory: LaneMemory;
  readonly #port: MessagePort;
  readonly #runner: CallRunner;
  readonly #onMessage: (message: Exclude<ToWorker, null>) => void;
  readonly #replies: ReplyRing;
  /** By slot: bytes of calls that came by transfer, until they are run. */
  readonly #external: (Buffer | undefined)[] = new Array(slotCount);
  readonly #call: LaneCall;
  #tail = 0;
  #appliedVersion = 0;
  /** The slot whose reply the loop waits a few microtasks for, or -1. */
  #awaited = -1;
  #hops = 0;
  #taken = 0;
  #turnStartedMs = 0;
  #started = false;
  #busyUs = 0;

  constructor(
    memory: LaneMemory,
    port: MessagePort,
    runner: CallRunner,
    onMessage: (message: Exclude<ToWorker, null>) => void,
  ) {
    this.#memory = memory;
    this.#port = port;
    this.#replies = new ReplyRing(memory, port);
    this.#runner = runner;
    this.#onMessage = onMessage;
    this.#call = {
      slot: 0,
      bytes: memory.dataIn,
      bodyStart: 0,
      end: 0,
      methodIndex: 0,
      seqid: 0,
      replyForm: 0,
      headers: null,
    };
  }

  /** Says which published value handlers have seen. */
  applied(version: number): void {
    this.#appliedVersion = version;
  }

  /** Begins to receive messages; wake-ups count from `start` on. */
  listen(): void {
    this.#port.on("message", (message: ToWorker) => {
      if (message !== null) this.#receive(message);
      else if (this.#started) this.#beginTurn();
    });
  }

  /** Begins to take calls. */
  start(): void {
    this.#started = true;
    Atomics.store(this.#memory.control, Control.WORKER_AWAKE, 1);
    this.#beginTurn();
  }

  /**
   * Puts a reply into the ring. `end === start` for a call that gets none. Waits while the ring is
   * full: the main thread empties it whatever handlers do.
   */
  reply(slot: number, result: number, bytes: Buffer, start: number, end: number): void {
    this.#replies.put(slot, result, bytes, start, end);
    if (slot === this.#awaited) this.#awaited = -1;
    else if (this.#turnStartedMs === 0) this.#replies.announceSoon();
  }

  #beginTurn(): void {
    if (this.#turnStartedMs !== 0) return;
    this.#turnStartedMs = preciseNowMs();
    this.#taken = 0;
    this.#pump();
  }

  #pump(): void {
    const { control } = this.#memory;
    while (this.#taken < callsPerTurn) {
      if (this.#tail === Atomics.load(control, Control.REQUEST_HEAD)) {
        if (this.#sleep()) return;
        continue;
      }
      this.#taken++;
      if (this.#takeOne()) {
        this.#hops = 0;
        queueMicrotask(this.#hop);
        return;
      }
    }
    this.#endTurn();
    setImmediate(this.#continue);
  }

  readonly #continue = (): void => this.#beginTurn();

  readonly #hop = (): void => {
    if (this.#awaited !== -1 && ++this.#hops < mostHops) {
      queueMicrotask(this.#hop);
      return;
    }
    this.#awaited = -1;
    this.#pump();
  };

  /** Ends the turn. Returns false when a call has come in meanwhile and no wake-up is on its way. */
  #sleep(): boolean {
    const { control } = this.#memory;
    this.#endTurn();
    Atomics.store(control, Control.WORKER_AWAKE, 0);
    if (this.#tail === Atomics.load(control, Control.REQUEST_HEAD)) return true;
    if (Atomics.compareExchange(control, Control.WORKER_AWAKE, 0, 1) !== 0) return true;
    this.#turnStartedMs = preciseNowMs();
    return false;
  }

  #endTurn(): void {
    const { control } = this.#memory;
    this.#busyUs += (preciseNowMs() - this.#turnStartedMs) * 1000;
    Atomics.store(control, Control.BUSY_US, this.#busyUs | 0);
    this.#turnStartedMs = 0;
    this.#replies.announce();
  }

  /** Takes the next call. Returns true when its promise should be given a few microtasks. */
  #takeOne(): boolean {
    const { control, slots, requests } = this.#memory;
    const slot = requests[this.#tail & slotMask]!;
    const at = slot * Slot.WORDS;
    let pending = false;
    if (
      Atomics.compareExchange(slots, at + Slot.STATE, SlotState.HANDED, SlotState.STARTED) ===
      SlotState.HANDED
    ) {
      this.#awaited = slot;
      pending = this.#runner.run(this.#view(slot, at)) && this.#awaited === slot;
      if (!pending) this.#awaited = -1;
    } else if ((slots[at + Slot.FLAGS]! & SlotFlag.EXTERNAL) !== 0) {
      this.#externalBytes(slot);
    }
    this.#tail = (this.#tail + 1) | 0;
    Atomics.store(control, Control.REQUEST_TAIL, this.#tail);
    return pending;
  }

  #view(slot: number, at: number): LaneCall {
    const { slots, dataIn } = this.#memory;
    const call = this.#call;
    const flags = slots[at + Slot.FLAGS]!;
    if (slots[at + Slot.PUBLISHED] !== this.#appliedVersion) this.#receiveWaiting();
    const start = (flags & SlotFlag.EXTERNAL) === 0 ? slots[at + Slot.POSITION]! : 0;
    call.slot = slot;
    call.bytes = (flags & SlotFlag.EXTERNAL) === 0 ? dataIn : this.#externalBytes(slot);
    call.bodyStart = start + slots[at + Slot.BODY]!;
    call.end = start + slots[at + Slot.LENGTH]!;
    call.methodIndex = slots[at + Slot.METHOD]!;
    call.seqid = slots[at + Slot.SEQID]!;
    call.replyForm = flags & SlotFlag.REPLY_FORM_MASK;
    const headerBytes = slots[at + Slot.HEADERS]!;
    // Asked for at any time during the call, when the ring has gone on: so it is copied.
    call.headers = headerBytes === 0 ? null : Buffer.from(call.bytes.subarray(start, start + headerBytes));
    return call;
  }

  /** The transferred bytes of a call; they were posted before its slot was published. */
  #externalBytes(slot: number): Buffer {
    if (this.#external[slot] === undefined) this.#receiveWaiting();
    const bytes = this.#external[slot];
    if (bytes === undefined) throw new Error(`the bytes of the call in slot ${slot} did not arrive`);
    this.#external[slot] = undefined;
    return bytes;
  }

  /** Receives what was posted before now, without going back to the event loop. */
  #receiveWaiting(): void {
    for (
      let got = receiveMessageOnPort(this.#port);
      got !== undefined;
      got = receiveMessageOnPort(this.#port)
    ) {
      if (got.message !== null) this.#receive(got.message as Exclude<ToWorker, null>);
    }
  }

  #receive(message: Exclude<ToWorker, null>): void {
    if (message.kind === "request") {
      const { bytes } = message;
      this.#external[message.slot] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } else this.#onMessage(message);
  }
}
