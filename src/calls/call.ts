/** One received call, from its message to its outcome. Objects are reused: see `CallLedger`. */
import type { Method } from "./method-table.ts";
import type { Outcome } from "./outcome.ts";

/**
 * Where a call stands on the main thread.
 * - `waiting`: received, its bytes are in `bytes`, no lane has it yet.
 * - `handed`: in a lane's request ring; whether it has started is in shared memory.
 * - `answered`: its reply or exception exists and waits to leave the connection.
 * - `settled`: it has its outcome; when `handed` before (expired), its handler may still run.
 */
export type CallStage = "free" | "waiting" | "handed" | "answered" | "settled";

/** What a call needs of its connection: kept small so that the call ledger knows no sockets. */
export interface Caller {
  /** Identifies the connection in logs and reports. */
  readonly id: number;
  /** The peer's address for people, for example "127.0.0.1:50312". */
  readonly peer: string;
  /** The peer's address as it travels to workers: four address words and `port | family << 16`. */
  readonly peerWords: Int32Array;
  /** What the lane has to know to write the reply: bits of `ReplyForm` in `wire/`. */
  readonly replyForm: number;
  /**
   * Takes the reply of one of its calls: bytes that stay valid until `flush`. Replies leave in the
   * order that the connection keeps.
   */
  answer(call: Call, bytes: Uint8Array, start: number, end: number): void;
  /** Writes what `answer` took, in one go. */
  flush(): void;
  /** Takes in a call that arrived on it. */
  enter(call: Call): void;
  /** Lets go of a call that gets no reply: a oneway that has its outcome. */
  leave(call: Call): void;
  /**
   * The lane that its last oneway was handed to, and the place there. Until the worker has come to it no later call
   * of this caller may be handed to another lane. Null when there is none, or its lane gave it back.
   */
  onewayLane: { readonly index: number } | null;
  onewayPosition: number;
  /** Whether it has something to flush. Kept by the call desk. */
  touched: boolean;
  /** Calls that waited for room have left: reading may go on. */
  resume(): void;
}

/** What a transport put around a call's message; see `Envelope` in `wire/`, which is the same. */
export interface CallEnvelope {
  /** In which form the reply is written, instead of the caller's own `replyForm`. */
  readonly replyForm: number;
  /** Bytes of the header block right before the message. */
  readonly headerBytes: number;
  /** How long the client waits from the arrival on, in ms; 0 when it did not say. */
  readonly timeoutMs: number;
  /** Whether the reply may overtake those of earlier calls. */
  readonly unordered: boolean;
  /** What goes before a reply of `sizeBytes`. Called when it is written. */
  prefix(sizeBytes: number, leaving: boolean, neverStarted: boolean): Uint8Array;
}

/** A received call. Fields are overwritten when the object is reused. */
export class Call {
  stage: CallStage = "free";
  caller: Caller | null = null;
  method: Method | null = null;
  seqid = 0;
  /** When the last byte of its message had been read, in ms of the lifecycle's clock. */
  receivedAtMs = 0;
  /** When its caller is answered in any case, in ms of the lifecycle's clock; 0 for never. */
  deadlineAtMs = 0;
  /** In which form its reply is written: the caller's, or its envelope's. */
  replyForm = 0;
  /** What its transport put around it; null on transports that put nothing there. */
  envelope: CallEnvelope | null = null;
  /**
   * Its message: `bytes[start, end)`, first its header block of `headerBytes`, the arguments from `bodyStart`.
   * Null once a lane has a copy.
   */
  bytes: Buffer | null = null;
  headerBytes = 0;
  /** What the ledger counts of its message in `heldBytes`; 0 for a small one. */
  heldBytes = 0;
  start = 0;
  bodyStart = 0;
  end = 0;
  /** The lane that has it and its slot there. */
  lane = -1;
  slot = -1;
  /** Whether a lane, or the queue before the lanes, refers to it. */
  inLane = false;
  /** A number that no other call of this process has. */
  serial = 0;
  /** How it will be counted once its reply is with the kernel. */
  pendingOutcome: Outcome = "completed";
  /** Its reply, when it is ready before it may leave. */
  reply: Buffer | null = null;
  /** The next call of its connection, in the order of arrival. */
  next: Call | null = null;
}
