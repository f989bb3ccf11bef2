/**
 * The seam between the admin side and the server: all that the admin port and fb303 read from a running
 * server, and the two wishes that they may pass on. The server supplies it.
 *
 * Every function is called on the main thread, must answer from memory at once, without waiting for any
 * worker, and may be called in every phase, before the first worker exists and after the last has gone.
 */
import type { CallTotals, MethodCounts } from "../calls/call-ledger.ts";
import type { Method } from "../calls/method-table.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { PhaseName } from "../lifecycle/phases.ts";

/** Where the server is in its life. */
export interface PhaseStatus {
  readonly phase: PhaseName;
  /** How long the phase has lasted, in ms. A duration, not a time. */
  readonly inPhaseMs: number;
  /** How long until the absolute deadline of the stop in progress, in ms. Absent when there is no stop. */
  readonly deadlineInMs?: number;
  /** Why the server stops, for people: "SIGTERM". Absent when there is no stop. */
  readonly reason?: string;
}

/** Whether new calls should be sent here; if not, why, in one line for people. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** All states of a lane, as `/metrics` counts them. */
export const laneStates = [
  /** Its worker makes its handler. */
  "starting",
  /** Takes calls. */
  "ready",
  /** Its worker has not looked at its ring for a while: it stands in a long synchronous handler. */
  "standing",
  /** Takes no more calls and ends in an orderly way. */
  "closing",
  /** Its worker has ended; a replacement may follow. */
  "dead",
] as const;

export type LaneState = (typeof laneStates)[number];

/** One lane at this moment. */
export interface LaneStatus {
  /** Counted from 0; a replacement keeps the number of the lane that it replaces. */
  readonly index: number;
  readonly state: LaneState;
  /** Calls that it has and that have no outcome, queued ones included. */
  readonly inFlight: number;
  /** Of these: handed over and not started. */
  readonly queued: number;
  /** How often its worker was replaced since the server started. */
  readonly restarts: number;
  /** The share of time that its event loop was busy lately, 0 to 1. Absent while there is no measurement. */
  readonly utilisation?: number;
  /** What its heap and buffers take. Absent while there is no measurement. */
  readonly memoryBytes?: number;
}

/** The bounds of `InFlightStatus.ages`, in ms; one more count takes what is older. */
export const ageBoundsMs: readonly number[] = [10, 100, 1_000, 10_000];

/** The calls of one method that lanes have, or that wait for one, at this moment. */
export interface InFlightStatus {
  readonly service: string;
  readonly method: string;
  readonly running: number;
  readonly queued: number;
  /** Of those that run: how many have their outcome already, because their deadline has passed. */
  readonly expired: number;
  /** Since the oldest one was received. */
  readonly oldestMs: number;
  /** Calls by age: up to each of `ageBoundsMs`, and beyond. */
  readonly ages: readonly number[];
}

/** A call that a drain waited for, or waits for. Times count from the request to stop, in ms. */
export interface WaitedCall {
  /** `Service.method`, or "unknown". */
  readonly method: string;
  /** The client's number for the call; many clients send 0 always. */
  readonly seqid: number;
  /** The caller's address and port; "unix" for a Unix domain socket. */
  readonly peer: string;
  /** Null when no worker has it. */
  readonly worker: number | null;
  /** When it was received; below 0 for a call that was there already. */
  readonly fromMs: number;
  /** When it got its outcome; null while it has none. */
  readonly toMs: number | null;
  /** What became of it; null while it has no outcome. */
  readonly outcome: Outcome | null;
}

/** When what is due in a stop, counted from the request, in ms. */
export interface DrainPlan {
  /** Lame-duck ends. */
  readonly lameDuckMs: number;
  /** Unprotected calls that still run are cut. */
  readonly callsEndMs: number;
  /** All calls that still run are cut: the reserve begins. */
  readonly lastCallMs: number;
  /** The whole grace is over. */
  readonly graceMs: number;
}

/** A stop that is in progress. */
export interface DrainStatus {
  readonly reason: string;
  /** From the request to stop until now, in ms. */
  readonly sinceMs: number;
  readonly plan: DrainPlan;
  /** How long each phase took so far, in ms. */
  readonly phases: Readonly<Partial<Record<PhaseName, number>>>;
  /** Calls that it waited for and that have their outcome; the longest first, a hundred at most. */
  readonly waitedFor: readonly WaitedCall[];
  /** How many more there were. */
  readonly moreWaitedFor: number;
  /** Calls that it waits for; the oldest first, a hundred at most. */
  readonly waiting: readonly WaitedCall[];
}

/** The Thrift connections. The keys of the records become metric labels: a small fixed set, never a peer's words. */
export interface ConnectionStatus {
  readonly open: number;
  /** All that were accepted since the server started. */
  readonly accepted: number;
  /** All that were closed since the server started, by why: "peer", "drain", "idle", … */
  readonly closedByKind: Readonly<Record<string, number>>;
  /** The open ones by protocol. One whose protocol is not known yet is in `open` only. */
  readonly byProtocol: Readonly<Record<string, number>>;
}

/** The limits, and what they keep small. */
export interface LimitStatus {
  /** By option: connections or calls refused or closed, and pauses of reading. Becomes metric labels: a fixed set. */
  readonly hits: Readonly<Record<string, number>>;
  /** What all connections keep of requests that are not whole and replies that are not written. */
  readonly connectionBytes: number;
  /** What the messages of calls in flight take, small ones left out. */
  readonly callBytes: number;
  /** Messages that were no readable call, by what was wrong. */
  readonly malformed: Readonly<Record<string, number>>;
}

/** Writes one log line. */
export type AdminLog = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** What the admin port and fb303 need of a server. */
export interface AdminSource {
  /** The service's name, as fb303's `getName` tells it. */
  readonly name: string;
  /** The version of what is served. */
  readonly version: string;
  /** When the process began to serve or to start, in ms since the epoch. */
  readonly startedAtMs: number;
  /** `{ ready: true }` when the phase is serving and at least one lane is ready. */
  ready(): Readiness;
  /** False once the main thread knows that it can't go on; a stuck worker is no reason. */
  live(): boolean;
  phase(): PhaseStatus;
  /** A consistent copy; received is the sum of all outcomes and owed. */
  totals(): CallTotals;
  /** Calls whose handler is unsettled, expired ones included. */
  running(): number;
  /** Live counts by method; unknown names under undefined. As `CallLedger.methods`. */
  methods(): Iterable<[Method | undefined, MethodCounts]>;
  lanes(): readonly LaneStatus[];
  connections(): ConnectionStatus;
  /** The calls that lanes have or that wait for one, by method. */
  inFlight(): readonly InFlightStatus[];
  /** The stop in progress, or null. */
  drain(): DrainStatus | null;
  /** Whether `undrain` would be granted now. */
  canUndrain(): boolean;
  /** How often each limit made itself felt, by the name of its option; and what connections and calls hold. */
  limits(): LimitStatus;
  /** The report of the last drain; absent as long as there was none. Must be plain JSON without secrets. */
  readonly lastReport?: unknown;
  /** Asks for a stop. When one is in progress, joins it. @param reason one printable line */
  requestDrain(reason: string): void;
  /** How the takeover by a successor stands; absent when nobody asked for one. Plain JSON. */
  readonly takeover?: unknown;
  /**
   * Starts a successor. Absent where that is never possible.
   *
   * @returns its process id
   * @throws TakeoverRefusedError that says why it can't
   */
  requestTakeover?(): number;
  /** Takes a drain back. @throws UndrainRefusedError that says why it can't */
  undrain(): void;
  readonly log: AdminLog;
}
