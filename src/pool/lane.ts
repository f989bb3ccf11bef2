/**
 * The main thread's half of a lane: puts calls into the request ring, takes replies out of the
 * reply ring, takes back what has not started. Supervision is not here: see `lane-pool.ts`.
 */
import type { MessagePort } from "node:worker_threads";
import type { Call, Caller } from "../calls/call.ts";
import { ByteRing } from "./byte-ring.ts";
import type { FromWorker, ToWorker } from "./control-messages.ts";
import {
  CallResult,
  Control,
  createLaneMemory,
  guardAborted,
  type LaneMemory,
  largestInRingBytes,
  Reply,
  ringBytes,
  Slot,
  SlotFlag,
  SlotState,
  slotCount,
} from "./lane-layout.ts";

const slotMask: number = slotCount - 1;
/** What may lie between two messages that are copied in one piece: a frame's length, or a THeader's fixed part. */
const largestGapBytes = 16;

/** Takes what comes out of a lane. `bytes[start, end)` stays valid until `drained`. */
export interface LaneListener {
  replied(call: Call, result: number, bytes: Buffer, start: number, end: number): void;
  /** All replies that were there have been handed over: what was kept of their bytes must be copied now. */
  drained(): void;
}

export class Lane {
  readonly index: number;
  readonly memory: LaneMemory = createLaneMemory();
  readonly #port: MessagePort;
  readonly #listener: LaneListener;
  readonly #calls: (Call | undefined)[] = new Array(slotCount);
  readonly #freeSlots: number[] = Array.from({ length: slotCount }, (_, index) => slotCount - 1 - index);
  /** By slot: where in the ring its call was put last. A slot can be used again a moment before the worker moves on. */
  readonly #positions = new Int32Array(slotCount);
  /** Slots that were taken back, until the worker has passed their place in the ring. */
  #retiring: { position: number; slot: number }[] = [];
  readonly #requestData = new ByteRing(ringBytes, slotCount);
  /** By slot: bytes of replies that came by transfer, until their record is read. */
  readonly #external: (Buffer | undefined)[] = new Array(slotCount);
  #requestHead = 0;
  #replyTail = 0;
  #watched = false;
  #handed = 0;

  constructor(index: number, port: MessagePort, listener: LaneListener) {
    this.index = index;
    this.#port = port;
    this.#listener = listener;
  }

  /** Calls that the lane has: started or not, their replies not taken yet. */
  get inFlight(): number {
    return this.#handed;
  }

  /** Calls that the worker has not come to. */
  get queued(): number {
    return (this.#requestHead - Atomics.load(this.memory.control, Control.REQUEST_TAIL)) | 0;
  }

  /** How far the worker has come, in 32 bits: standing still means that this stays the same. */
  get progress(): number {
    return Atomics.load(this.memory.control, Control.REQUEST_TAIL);
  }

  /** Whether the worker is in a turn, or is being woken. */
  get awake(): boolean {
    return Atomics.load(this.memory.control, Control.WORKER_AWAKE) !== 0;
  }

  /** Microseconds that the worker has spent in turns, in 32 bits. */
  get busyUs(): number {
    return Atomics.load(this.memory.control, Control.BUSY_US);
  }

  /** What the worker's heap and buffers take, as it last said. */
  get memoryBytes(): number {
    return Atomics.load(this.memory.control, Control.MEMORY_KIB) * 1024;
  }

  /** Background promises that have not settled. */
  get background(): number {
    return Atomics.load(this.memory.control, Control.BACKGROUND);
  }

  /**
   * Hands over `calls[from, to)` as far as there is room. The worker may start them at once, but it
   * is woken by `wake` only.
   *
   * @returns where the first call stands that found no room
   */
  hand(calls: readonly Call[], from: number, to: number, publishedVersion: number): number {
    this.#reclaim();
    let at = from;
    while (at < to && this.#room > 0) {
      const runEnd = this.#runEnd(calls, at, to);
      const next =
        calls[at]!.end - calls[at]!.start > largestInRingBytes
          ? this.#handExternal(calls[at]!, at, publishedVersion)
          : this.#handRun(calls, at, runEnd, publishedVersion);
      if (next === at) break;
      at = next;
    }
    if (at > from) Atomics.store(this.memory.control, Control.REQUEST_HEAD, this.#requestHead);
    return at;
  }

  /** Wakes the worker unless it is awake. */
  wake(): void {
    if (Atomics.exchange(this.memory.control, Control.WORKER_AWAKE, 1) === 0) this.post(null);
  }

  post(message: ToWorker, transfer: readonly (ArrayBuffer | MessagePort)[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** Keeps the bytes of a reply that came by transfer until its record is read. */
  external(message: Extract<FromWorker, { kind: "reply" }>): void {
    const { bytes, slot } = message;
    this.#external[slot] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Whether the main thread looks for replies by itself: then the worker does not wake it. Look once more after setting
   * it to false.
   */
  set watched(watched: boolean) {
    this.#watched = watched;
    Atomics.store(this.memory.control, Control.MAIN_AWAKE, watched ? 1 : 0);
  }

  /** Takes all replies that are there. Returns how many. */
  drain(receiveWaiting: () => void): number {
    const { control, replies, dataOut } = this.memory;
    if (!this.#watched) Atomics.store(control, Control.MAIN_AWAKE, 0);
    const head = Atomics.load(control, Control.REPLY_HEAD);
    const before = this.#replyTail;
    if (head === before) return 0;
    while (this.#replyTail !== head) {
      const at = (this.#replyTail & slotMask) * Reply.WORDS;
      const slot = replies[at + Reply.SLOT]!;
      const word = replies[at + Reply.RESULT]!;
      const position = replies[at + Reply.POSITION]!;
      const length = replies[at + Reply.LENGTH]!;
      const call = this.#free(slot);
      if ((word & CallResult.EXTERNAL) !== 0) {
        if (this.#external[slot] === undefined) receiveWaiting();
        const bytes = this.#external[slot]!;
        this.#external[slot] = undefined;
        this.#listener.replied(call, word & ~CallResult.EXTERNAL, bytes, 0, bytes.length);
      } else this.#listener.replied(call, word, dataOut, position, position + length);
      this.#replyTail = (this.#replyTail + 1) | 0;
    }
    this.#listener.drained();
    Atomics.store(control, Control.REPLY_TAIL, this.#replyTail);
    Atomics.notify(control, Control.REPLY_TAIL);
    return (this.#replyTail - before) | 0;
  }

  /** Whose oneway the worker is in, if it is in one: its handler may not have come to its first line. */
  get onewayCaller(): Caller | null {
    const slot = this.memory.requests[this.progress & slotMask]!;
    const call = this.queued > 0 ? this.#calls[slot] : undefined;
    if (call === undefined || !call.method!.oneway || !this.hasStarted(call)) return null;
    return call.caller;
  }

  /**
   * Takes back every call that has not started, in the order in which they were handed over. From the last to the
   * first, because the worker goes on meanwhile: it must not find a call whose predecessor is gone already.
   *
   * @param except whose calls stay. Default: nobody's
   */
  takeBack(except: Caller | null = null): Call[] {
    const { control, requests } = this.memory;
    const taken: Call[] = [];
    const tail = Atomics.load(control, Control.REQUEST_TAIL);
    for (let position = this.#requestHead; position !== tail; ) {
      position = (position - 1) | 0;
      const slot = requests[position & slotMask]!;
      const call = this.#calls[slot];
      if (call === undefined || this.#positions[slot] !== position || call.caller === except) continue;
      if (this.#takeSlot(slot, call)) {
        this.#retiring.push({ position, slot });
        taken.push(call);
        // All that this caller had waiting here goes elsewhere together.
        if (call.caller!.onewayLane === this) call.caller!.onewayLane = null;
      }
    }
    return taken.reverse();
  }

  /** Takes one call back so that it never runs. False when it has started. */
  takeOne(call: Call): boolean {
    const slot = call.slot;
    if (this.#calls[slot] !== call || !this.#takeSlot(slot, call)) return false;
    this.#retiring.push({ position: this.#positions[slot]!, slot });
    return true;
  }

  /**
   * Whether the worker has left a place of the request ring behind: the handler of the call there has run as far as it
   * does at once. A call that is only claimed may not have come to its first line: its thread can be interrupted.
   */
  hasPassed(position: number): boolean {
    return ((this.progress - position) | 0) > 0;
  }

  /** The calls that have started and have given no reply. */
  *started(): Generator<Call> {
    if (this.#handed === 0) return;
    for (let slot = 0; slot < slotCount; slot++) {
      const call = this.#calls[slot];
      if (call === undefined) continue;
      const state = Atomics.load(this.memory.slots, slot * Slot.WORDS + Slot.STATE);
      if (state === SlotState.STARTED) yield call;
    }
  }

  /** The calls that the lane has, started or not, whose replies have not been taken. */
  *held(): Generator<Call> {
    if (this.#handed === 0) return;
    for (const call of this.#calls) if (call !== undefined) yield call;
  }

  /** Whether the worker has begun to run a call that the lane holds. */
  hasStarted({ slot }: Call): boolean {
    return Atomics.load(this.memory.slots, slot * Slot.WORDS + Slot.STATE) === SlotState.STARTED;
  }

  /** Every call that the lane has, and forgets them: for a lane that has ended. */
  abandon(): Call[] {
    const left = this.#calls.filter((call) => call !== undefined);
    this.#calls.fill(undefined);
    this.#handed = 0;
    return left;
  }

  /** Tells running calls when they are asked to end and when they must: ms on the clock, 0 for no stop. */
  setStopTimes(noticeAtMs: number, lastCallAtMs: number): void {
    const { control } = this.memory;
    Atomics.store(control, Control.LAST_CALL_AT, lastCallAtMs | 0);
    Atomics.store(control, Control.NOTICE_AT, noticeAtMs | 0);
  }

  /** Until when a call is protected (ms on the common clock), 0 for not at all, or `guardAborted`. */
  guardOf(call: Call): number {
    return Atomics.load(this.memory.slots, call.slot * Slot.WORDS + Slot.GUARD);
  }

  /** Marks a call as being cut, if its guard is still what it was seen to be. */
  abort(call: Call, seenGuard: number): boolean {
    const { slots } = this.memory;
    const at = call.slot * Slot.WORDS + Slot.GUARD;
    return Atomics.compareExchange(slots, at, seenGuard, guardAborted) === seenGuard;
  }

  /** How many calls can be put into the ring: of each there are a slot and a place. */
  get #room(): number {
    return Math.min(this.#freeSlots.length, slotCount - this.queued);
  }

  /** The end of the run of calls from `at` whose messages follow each other in one buffer. */
  #runEnd(calls: readonly Call[], at: number, to: number): number {
    const first = calls[at]!;
    let end = at + 1;
    const room = this.#room;
    while (end < to && end - at < room) {
      const call = calls[end]!;
      const gap = call.start - calls[end - 1]!.end;
      if (call.bytes !== first.bytes || gap < 0 || gap > largestGapBytes) break;
      if (call.end - first.start > largestInRingBytes) break;
      end++;
    }
    return end;
  }

  /** Copies a run of messages in one piece, its first half only when there is no room for all. */
  #handRun(calls: readonly Call[], from: number, to: number, version: number): number {
    const first = calls[from]!;
    const base = first.start;
    for (let end = to; end > from; end = from + ((end - from) >> 1)) {
      const length = calls[end - 1]!.end - base;
      const position = this.#requestData.reserve(length);
      if (position < 0) continue;
      first.bytes!.copy(this.memory.dataIn, position, base, base + length);
      for (let at = from; at < end; at++) {
        const call = calls[at]!;
        this.#enter(call, position + call.start - base, 0, version, base + length - call.end);
      }
      return end;
    }
    return from;
  }

  #handExternal(call: Call, at: number, version: number): number {
    const copy = new Uint8Array(call.end - call.start);
    copy.set(call.bytes!.subarray(call.start, call.end));
    this.post({ kind: "request", slot: this.#freeSlots.at(-1)!, bytes: copy }, [copy.buffer]);
    this.#enter(call, 0, SlotFlag.EXTERNAL, version, 0);
    return at + 1;
  }

  /**
   * Writes the call's record and puts it into the ring.
   *
   * @param behind bytes that were reserved together with its own and lie behind them
   */
  #enter(call: Call, position: number, flag: number, version: number, behind: number): void {
    const { slots, requests } = this.memory;
    const slot = this.#freeSlots.pop()!;
    const caller = call.caller!;
    const at = slot * Slot.WORDS;
    slots[at + Slot.GUARD] = 0;
    slots[at + Slot.POSITION] = position;
    slots[at + Slot.LENGTH] = call.end - call.start;
    slots[at + Slot.BODY] = call.bodyStart - call.start;
    slots[at + Slot.METHOD] = call.method!.index;
    slots[at + Slot.SEQID] = call.seqid;
    slots[at + Slot.FLAGS] = call.replyForm | flag;
    slots[at + Slot.HEADERS] = call.headerBytes;
    slots[at + Slot.RECEIVED_AT] = call.receivedAtMs | 0;
    slots[at + Slot.DEADLINE_AT] = call.deadlineAtMs === 0 ? 0 : call.deadlineAtMs | 0 || 1;
    slots[at + Slot.CONNECTION] = caller.id;
    const { peerWords } = caller;
    for (let word = 0; word < 5; word++) slots[at + Slot.PEER + word] = peerWords[word]!;
    slots[at + Slot.PUBLISHED] = version;
    slots[at + Slot.SERIAL] = call.serial | 0;
    slots[at + Slot.STATE] = SlotState.HANDED;
    requests[this.#requestHead & slotMask] = slot;
    this.#positions[slot] = this.#requestHead;
    if (call.method!.oneway) {
      caller.onewayLane = this;
      caller.onewayPosition = this.#requestHead;
    }
    this.#requestHead = (this.#requestHead + 1) | 0;
    this.#requestData.commit(behind);
    this.#calls[slot] = call;
    this.#handed++;
    call.stage = call.stage === "waiting" ? "handed" : call.stage;
    call.lane = this.index;
    call.slot = slot;
    if (flag !== SlotFlag.EXTERNAL) call.bytes = null;
  }

  #takeSlot(slot: number, call: Call): boolean {
    const at = slot * Slot.WORDS;
    const { slots } = this.memory;
    const won = Atomics.compareExchange(slots, at + Slot.STATE, SlotState.HANDED, SlotState.TAKEN);
    if (won !== SlotState.HANDED) return false;
    this.#keepBytes(slot, call);
    this.#calls[slot] = undefined;
    this.#handed--;
    call.lane = -1;
    call.slot = -1;
    if (call.stage === "handed") call.stage = "waiting";
    return true;
  }

  /** A call that is taken back needs its bytes again; a transferred one has kept them. */
  #keepBytes(slot: number, call: Call): void {
    if (call.bytes !== null) return;
    const { slots, dataIn } = this.memory;
    const at = slot * Slot.WORDS;
    const position = slots[at + Slot.POSITION]!;
    const length = slots[at + Slot.LENGTH]!;
    call.bytes = Buffer.from(dataIn.subarray(position, position + length));
    call.bodyStart = slots[at + Slot.BODY]!;
    call.start = 0;
    call.end = length;
  }

  #free(slot: number): Call {
    const call = this.#calls[slot]!;
    this.#calls[slot] = undefined;
    this.#freeSlots.push(slot);
    this.#handed--;
    return call;
  }

  /** Makes room of what the worker has passed. */
  #reclaim(): void {
    const tail = this.progress;
    this.#requestData.releaseUntil(tail);
    if (this.#retiring.length === 0) return;
    this.#retiring = this.#retiring.filter(({ position, slot }) => {
      const passed = ((tail - position) | 0) > 0;
      if (passed) this.#freeSlots.push(slot);
      return !passed;
    });
  }
}
