/** A server's facts as plain data: the seam at which the admin side is tested. */

import type {
  AdminSource,
  ConnectionStatus,
  DrainStatus,
  InFlightStatus,
  LaneStatus,
  LimitStatus,
  PhaseStatus,
  Readiness,
} from "../../../src/admin/source.ts";
import type { Caller } from "../../../src/calls/call.ts";
import { CallLedger, type CallTotals, type MethodCounts } from "../../../src/calls/call-ledger.ts";
import type { Method } from "../../../src/calls/method-table.ts";
import type { Outcome } from "../../../src/calls/outcome.ts";

/** The ledger keeps it and never looks at it. */
const caller = {} as Caller;

/** Facts that a test sets, with a real call ledger behind the counts. */
export class FakeSource implements AdminSource {
  name = "Ledger";
  version = "1.2.3";
  startedAtMs = 1_700_000_000_900;
  lastReport: unknown;
  phaseStatus: PhaseStatus = { phase: "serving", inPhaseMs: 1500 };
  readiness: Readiness = { ready: true };
  alive = true;
  handlersRunning = 0;
  laneList: LaneStatus[] = [{ index: 0, state: "ready", inFlight: 0, queued: 0, restarts: 0 }];
  connectionStatus: ConnectionStatus = { open: 0, accepted: 0, closedByKind: {}, byProtocol: {} };
  inFlightList: InFlightStatus[] = [];
  drainStatus: DrainStatus | null = null;
  limitStatus: LimitStatus = { hits: { maxInFlight: 0 }, connectionBytes: 0, callBytes: 0, malformed: {} };
  readonly drains: string[] = [];
  readonly logged: { level: string; message: string; fields: Record<string, unknown> | undefined }[] = [];
  onDrain: () => void = () => {};
  onUndrain: () => void = () => {};
  readonly calls: CallLedger = new CallLedger();
  readonly table: Method[] = [];

  phase(): PhaseStatus {
    return this.phaseStatus;
  }
  ready(): Readiness {
    return this.readiness;
  }
  live(): boolean {
    return this.alive;
  }
  totals(): CallTotals {
    return this.calls.totals();
  }
  running(): number {
    return this.handlersRunning;
  }
  methods(): Iterable<[Method | undefined, MethodCounts]> {
    return this.calls.methods(this.table);
  }
  lanes(): readonly LaneStatus[] {
    return this.laneList;
  }
  connections(): ConnectionStatus {
    return this.connectionStatus;
  }
  inFlight(): readonly InFlightStatus[] {
    return this.inFlightList;
  }
  drain(): DrainStatus | null {
    return this.drainStatus;
  }
  canUndrain(): boolean {
    return this.phaseStatus.phase === "lame-duck";
  }
  limits(): LimitStatus {
    return this.limitStatus;
  }
  requestDrain(reason: string): void {
    this.drains.push(reason);
    this.onDrain();
  }
  undrain(): void {
    this.onUndrain();
  }
  log = (level: string, message: string, fields?: Record<string, unknown>): void => {
    this.logged.push({ level, message, fields });
  };

  /** Adds a method to the table. */
  method(service: string, name: string): Method {
    const index = this.table.length;
    const method: Method = {
      service,
      name,
      oneway: false,
      timeoutMs: 0,
      idempotent: false,
      index,
      runs: "worker",
    };
    this.table.push(method);
    return method;
  }

  /** Refuses a call whose name the table does not have. */
  unknownCall(): void {
    const unknown = { service: "forged", name: "forged", oneway: false, timeoutMs: 0, idempotent: false };
    this.call({ ...unknown, index: -1, runs: "main" }, "rejected");
  }

  /** Takes in a call and settles it `tookMs` later, or leaves it owed. */
  call(method: Method, outcome?: Outcome, tookMs = 1): void {
    const call = this.calls.receive(caller, method, 1, 0);
    if (outcome !== undefined) this.calls.settle(call, outcome, tookMs);
  }
}
