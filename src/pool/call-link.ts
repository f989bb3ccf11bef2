/** What a running call can learn and ask of the main thread, by the lane's shared memory. */

import { peerOfWords } from "../calls/peer-words.ts";
import { createSystemClock } from "../lifecycle/clock.ts";
import { grantProtection, ProtectionDeniedError } from "../lifecycle/protection.ts";
import { Control, guardAborted, type LaneMemory, Slot, SlotFlag } from "./lane-layout.ts";

const clockNowMs: () => number = createSystemClock().now;

export interface CallLinkOptions {
  /** `grace − reserve`, in ms. */
  readonly longestProtectionMs: number;
  /** Wakes the main thread: a drain may wait for what has just ended. */
  readonly wakeMain: () => void;
  readonly log: (message: string, error: unknown, fields: Record<string, unknown>) => void;
}

interface AbortListener {
  readonly serial: number;
  readonly abort: (reason: string) => void;
}

export class LaneCallLink {
  readonly #memory: LaneMemory;
  readonly #options: CallLinkOptions;
  readonly #listeners = new Map<number, AbortListener[]>();

  constructor(memory: LaneMemory, options: CallLinkOptions) {
    this.#memory = memory;
    this.#options = options;
  }

  serialOf(slot: number): number {
    return this.#memory.slots[slot * Slot.WORDS + Slot.SERIAL]!;
  }

  peerOf(slot: number): string {
    return peerOfWords(this.#memory.slots, slot * Slot.WORDS + Slot.PEER);
  }

  /** In which form the reply to a call has to be written: bits of `ReplyForm`. */
  replyFormOf(slot: number): number {
    return this.#memory.slots[slot * Slot.WORDS + Slot.FLAGS]! & SlotFlag.REPLY_FORM_MASK;
  }

  deadlineOf(slot: number): number | undefined {
    const atMs = this.#memory.slots[slot * Slot.WORDS + Slot.DEADLINE_AT]!;
    return atMs === 0 ? undefined : Date.now() + ((atMs - clockNowMs()) | 0);
  }

  isAborted(slot: number, serial: number): boolean {
    const at = slot * Slot.WORDS;
    const { slots } = this.#memory;
    return slots[at + Slot.SERIAL] === serial && Atomics.load(slots, at + Slot.GUARD) === guardAborted;
  }

  isWaitedFor(): boolean {
    const noticeAtMs = Atomics.load(this.#memory.control, Control.NOTICE_AT);
    return noticeAtMs !== 0 && ((clockNowMs() - noticeAtMs) | 0) >= 0;
  }

  protect(slot: number, serial: number, ms: number): void {
    const { slots, control } = this.#memory;
    const at = slot * Slot.WORDS;
    if (slots[at + Slot.SERIAL] !== serial) return;
    const nowMs = clockNowMs();
    const lastCallAt = Atomics.load(control, Control.LAST_CALL_AT);
    // Times in 32 bits wrap: only their distance from now means something.
    const lastCallAtMs = lastCallAt === 0 ? Number.POSITIVE_INFINITY : nowMs + ((lastCallAt - nowMs) | 0);
    const request = { nowMs, ms, longestMs: this.#options.longestProtectionMs, lastCallAtMs };
    const until = Math.ceil(grantProtection(request).untilMs) | 0 || 1;
    // The main thread may be about to cut this call: whoever changes the guard first has it.
    for (;;) {
      const seen = Atomics.load(slots, at + Slot.GUARD);
      if (seen === guardAborted) throw new ProtectionDeniedError(ms, 0, "the call is being ended already");
      const next = until === guardAborted ? until + 1 : until;
      if (Atomics.compareExchange(slots, at + Slot.GUARD, seen, next) === seen) return;
    }
  }

  unprotect(slot: number, serial: number): void {
    const { slots } = this.#memory;
    const at = slot * Slot.WORDS;
    if (slots[at + Slot.SERIAL] !== serial) return;
    const seen = Atomics.load(slots, at + Slot.GUARD);
    if (seen !== guardAborted) Atomics.compareExchange(slots, at + Slot.GUARD, seen, 0);
  }

  background(promise: PromiseLike<unknown>, what: string): void {
    const { control } = this.#memory;
    Atomics.add(control, Control.BACKGROUND, 1);
    const settled = (): void => {
      if (Atomics.sub(control, Control.BACKGROUND, 1) === 1) this.#options.wakeMain();
    };
    Promise.resolve(promise).then(settled, (error: unknown) => {
      settled();
      this.#options.log("a background promise was rejected", error, { method: what });
    });
  }

  onAbort(slot: number, serial: number, abort: (reason: string) => void): void {
    const current = (this.#listeners.get(slot) ?? []).filter((listener) => listener.serial === serial);
    this.#listeners.set(slot, [...current, { serial, abort }]);
  }

  /** The main thread says that a call's signal aborts. */
  aborted(slot: number, serial: number, reason: string): void {
    const listeners = this.#listeners.get(slot) ?? [];
    this.#listeners.delete(slot);
    for (const listener of listeners) if (listener.serial === serial) listener.abort(reason);
  }
}
