/**
 * The shared memory of one lane: two rings between the main thread and one worker, and a record for
 * each call in it.
 *
 * ```
 * control   words, each on a cache line of its own
 * slots     one record per call: state, guard, where its bytes are, …
 * requests  ring of slot numbers, in the order in which the worker starts them
 * replies   ring of records {slot, result, position, length}
 * data in   ring of message bytes, main → worker
 * data out  ring of reply bytes, worker → main
 * ```
 *
 * Head positions are written by the side that fills a ring, tail positions by the side that empties
 * it. Positions count up without end in 32 bits; an index is `position & mask`.
 */

/** How many calls a lane can hold, started or not. A power of two. */
export const slotCount = 4096;

/** Bytes of each data ring. A power of two. */
export const ringBytes: number = 1 << 20;

/** A message or reply larger than this travels by transfer instead. */
export const largestInRingBytes: number = ringBytes >> 2;

/** Control words, as indexes into `control`: sixteen apart, so that each has a cache line of its own. */
export const Control = {
  /** Main: how many requests were ever put into the ring. */
  REQUEST_HEAD: 0,
  /** Worker: how many requests it has taken and read to their last byte. */
  REQUEST_TAIL: 16,
  /** 1 while the worker is in a turn or has a wake-up on its way: then none is sent. */
  WORKER_AWAKE: 32,
  /** Worker: how many replies were ever put into the ring. */
  REPLY_HEAD: 48,
  /** Main: how many replies it has taken and copied. */
  REPLY_TAIL: 64,
  /** 1 while a wake-up for the main thread is on its way, or it looks by itself: then none is sent. */
  MAIN_AWAKE: 80,
  /** Worker: background promises that have not settled. */
  BACKGROUND: 96,
  /** Worker: microseconds spent in turns, ever. */
  BUSY_US: 112,
  /** Worker: what its heap and buffers take, in KiB; kept only when there is a limit. */
  MEMORY_KIB: 113,
  /** Main: when unprotected calls are told to end, and when all calls end, in a stop; 0 for no stop. */
  NOTICE_AT: 128,
  LAST_CALL_AT: 129,
  WORDS: 144,
} as const;

/** Words of a slot, as offsets from its first. */
export const Slot = {
  STATE: 0,
  /** 0, or until when the call is protected (ms on the common clock), or `guardAborted`. */
  GUARD: 1,
  /** Where the message begins in the data ring. */
  POSITION: 2,
  /** Bytes from there to the message's end. */
  LENGTH: 3,
  /** Where the arguments begin, from the message's first byte. */
  BODY: 4,
  METHOD: 5,
  SEQID: 6,
  /** Bits of `SlotFlag` and the reply form. */
  FLAGS: 7,
  /** When it was received, and when it expires (0 never): ms on the common clock. */
  RECEIVED_AT: 8,
  DEADLINE_AT: 9,
  CONNECTION: 10,
  /** The peer's address: four words, then `port | family << 16`. */
  PEER: 11,
  /** The last published value that the call must see. */
  PUBLISHED: 16,
  /** Tells the uses of a slot apart. */
  SERIAL: 17,
  /** Bytes of the header block with which the message begins. */
  HEADERS: 18,
  WORDS: 20,
} as const;

/** Bits of a slot's flags; the low eight are the reply form. */
export const SlotFlag = {
  REPLY_FORM_MASK: 0xff,
  /** The message came by transfer, not through the ring. */
  EXTERNAL: 0x100,
} as const;

/**
 * States of a slot. `handed → started` by the worker's compare-exchange before it runs the call,
 * `handed → taken` by the main thread's when it takes the call back: exactly one of them wins.
 */
export const SlotState = { FREE: 0, HANDED: 1, STARTED: 2, TAKEN: 3, DONE: 4 } as const;

/** The guard of a call that is being cut: it can't be protected any more. */
export const guardAborted = -1;

/** Words of a reply record. */
export const Reply = { SLOT: 0, RESULT: 1, POSITION: 2, LENGTH: 3, WORDS: 4 } as const;

/** What a worker reports of a call. */
export const CallResult = {
  COMPLETED: 0,
  FAILED: 1,
  REJECTED: 2,
  ONEWAY: 3,
  /** The handler had failed and nobody is told. */
  ONEWAY_FAILED: 4,
  ONEWAY_REJECTED: 5,
  /** The handler ended itself because a stop waited for it. */
  BROKEN: 6,
  ONEWAY_BROKEN: 7,
  /** Set besides: the reply's bytes come by transfer. */
  EXTERNAL: 0x10,
} as const;

/** Views of a lane's shared memory. */
export interface LaneMemory {
  readonly shared: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly slots: Int32Array;
  readonly requests: Int32Array;
  readonly replies: Int32Array;
  readonly dataIn: Buffer;
  readonly dataOut: Buffer;
}

const controlBytes = Control.WORDS * 4;
const slotsBytes = slotCount * Slot.WORDS * 4;
const requestsBytes = slotCount * 4;
const repliesBytes = slotCount * Reply.WORDS * 4;

/** Makes the memory of a new lane. */
export function createLaneMemory(): LaneMemory {
  const bytes = controlBytes + slotsBytes + requestsBytes + repliesBytes + 2 * ringBytes;
  return viewLaneMemory(new SharedArrayBuffer(bytes));
}

/** The views of a lane's memory, on either side. */
export function viewLaneMemory(shared: SharedArrayBuffer): LaneMemory {
  let at = 0;
  const words = (bytes: number): Int32Array => {
    const view = new Int32Array(shared, at, bytes / 4);
    at += bytes;
    return view;
  };
  const data = (): Buffer => {
    const view = Buffer.from(shared as unknown as ArrayBuffer, at, ringBytes);
    at += ringBytes;
    return view;
  };
  const control = words(controlBytes);
  const slots = words(slotsBytes);
  const requests = words(requestsBytes);
  const replies = words(repliesBytes);
  return { shared, control, slots, requests, replies, dataIn: data(), dataOut: data() };
}
