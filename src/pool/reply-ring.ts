/**
 * The worker's half of the reply ring: puts replies in, and wakes the main thread for them. What is too large for the
 * ring travels by transfer; of either kind only so much is ever on its way, then the worker waits. The main thread
 * takes replies whatever handlers do, so that no wait is for long.
 */
import type { MessagePort } from "node:worker_threads";
import { ByteRing } from "./byte-ring.ts";
import type { FromWorker } from "./control-messages.ts";
import {
  CallResult,
  Control,
  type LaneMemory,
  largestInRingBytes,
  Reply,
  ringBytes,
  Slot,
  SlotState,
  slotCount,
} from "./lane-layout.ts";

const slotMask: number = slotCount - 1;
/** What transferred replies may take together until the main thread has taken them; a single one may be larger. */
const mostTransferredBytes: number = 16 * ringBytes;
const longestWaitMs = 1_000;

export class ReplyRing {
  readonly #memory: LaneMemory;
  readonly #port: MessagePort;
  readonly #data = new ByteRing(ringBytes, slotCount);
  #head = 0;
  #announced = 0;
  #announcing = false;
  /** Transferred replies that the main thread has not taken: their places in the ring, and their bytes. */
  readonly #transferred: { readonly position: number; readonly bytes: number }[] = [];
  #transferredBytes = 0;

  constructor(memory: LaneMemory, port: MessagePort) {
    this.#memory = memory;
    this.#port = port;
  }

  /** Puts in `bytes[start, end)`, or the news that a call has ended that gets no reply: `end === start`. */
  put(slot: number, result: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    let position = 0;
    let word = result;
    if (length > largestInRingBytes) {
      this.#transfer(slot, bytes, start, end);
      word |= CallResult.EXTERNAL;
    } else if (length > 0) {
      position = this.#reserve(length);
      bytes.copy(this.#memory.dataOut, position, start, end);
    }
    this.#data.commit();
    this.#publish(slot, word, position, length);
  }

  /** Wakes the main thread if it does not know of all replies. */
  announce(): void {
    if (this.#announced === this.#head) return;
    this.#announced = this.#head;
    if (Atomics.exchange(this.#memory.control, Control.MAIN_AWAKE, 1) === 0) this.#port.postMessage(null);
  }

  /** Replies outside of a turn come one by one from promises: one wake-up for those of a tick. */
  announceSoon(): void {
    if (this.#announcing) return;
    this.#announcing = true;
    setImmediate(() => {
      this.#announcing = false;
      this.announce();
    });
  }

  #publish(slot: number, word: number, position: number, length: number): void {
    const { replies, control, slots } = this.#memory;
    const at = (this.#head & slotMask) * Reply.WORDS;
    replies[at + Reply.SLOT] = slot;
    replies[at + Reply.RESULT] = word;
    replies[at + Reply.POSITION] = position;
    replies[at + Reply.LENGTH] = length;
    Atomics.store(slots, slot * Slot.WORDS + Slot.STATE, SlotState.DONE);
    this.#head = (this.#head + 1) | 0;
    Atomics.store(control, Control.REPLY_HEAD, this.#head);
  }

  #reserve(length: number): number {
    for (;;) {
      const tail = this.#tail;
      this.#data.releaseUntil(tail);
      const position = this.#data.reserve(length);
      if (position >= 0) return position;
      this.#waitBeyond(tail);
    }
  }

  #transfer(slot: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#awaitCredit(length);
    const copy = Buffer.from(bytes.subarray(start, end));
    const message: FromWorker = { kind: "reply", slot, bytes: copy };
    this.#port.postMessage(message, copy.byteLength === copy.buffer.byteLength ? [copy.buffer] : []);
    this.#transferred.push({ position: this.#head, bytes: length });
    this.#transferredBytes += length;
  }

  #awaitCredit(length: number): void {
    for (;;) {
      const tail = this.#tail;
      const transferred = this.#transferred;
      while (transferred.length > 0 && ((tail - transferred[0]!.position) | 0) > 0) {
        this.#transferredBytes -= transferred.shift()!.bytes;
      }
      if (transferred.length === 0 || this.#transferredBytes + length <= mostTransferredBytes) return;
      this.#waitBeyond(tail);
    }
  }

  /** How many replies the main thread has taken. */
  get #tail(): number {
    return Atomics.load(this.#memory.control, Control.REPLY_TAIL);
  }

  #waitBeyond(tail: number): void {
    this.announce();
    Atomics.wait(this.#memory.control, Control.REPLY_TAIL, tail, longestWaitMs);
  }
}
