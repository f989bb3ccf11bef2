/**
 * The seam between the admin side and the server: all that the admin port and fb303 read from a running
 * server, and the two wishes that they may pass on. The server supplies it.
 *
 * Every function is called on the main thread, must answer from memory at once, without waiting for any
 * worker, and may be called in every phase, before the first worker exists and after the last has gone.
 */
import type { CallTotals, MethodCounts } from "../calls/call-ledger.ts";
import type { Method } from "../calls/method-table.ts";
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
}

/** The Thrift connections. The keys of the records become metric labels: a small fixed set, never a peer's words. */
export interface ConnectionStatus {
  readonly open: number;
  /** All that were accepted since the server started. */
  readonly accepted: number;
  /** All that were closed since the server started, by why: "peer", "drain", "idle", … */
  readonly closedByKind: Readonly<Record<string, number>>;
  /** What was sent since the server started that is no acceptable message, by kind: "unknown-protocol", "bad-json", … */
  readonly malformedByKind: Readonly<Record<string, number>>;
  /** The open ones by protocol. One whose protocol is not known yet is in `open` only. */
  readonly byProtocol: Readonly<Record<string, number>>;
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
