/** What the admin port and fb303 read of the server. */
import { readFileSync } from "node:fs";
import type { AdminSource, DrainStatus, LimitStatus, Readiness } from "../admin/source.ts";
import type { Lifecycle } from "../lifecycle/lifecycle.ts";
import type { ServerLog } from "../log/log.ts";
import { type DrainTimeline, drainPlanOf, mostWaitedCalls } from "./drain-timeline.ts";
import { inFlightByMethod } from "./in-flight.ts";
import type { Parts } from "./parts.ts";
import type { DrainReport } from "./report.ts";
import type { Takeover } from "./takeover.ts";

/** What of the server comes into being after its admin source. */
export interface AdminView {
  parts(): Parts | undefined;
  lifecycle(): Lifecycle;
  /** Undefined when there is no stop. */
  timeline(): DrainTimeline | undefined;
  lastReport(): DrainReport | undefined;
  requestDrain(reason: string): void;
  takeover(): Takeover;
}

export function createAdminSource(view: AdminView, log: ServerLog, now: () => number): AdminSource {
  const startedAtMs = Date.now();
  return {
    get name() {
      return view.parts()?.pool.services[0]?.name ?? "sluice";
    },
    version: packageVersion(),
    startedAtMs,
    ready: () => readiness(view),
    live: () => true,
    phase() {
      const { state, stop } = view.lifecycle();
      return {
        phase: state.phase,
        inPhaseMs: now() - state.sinceMs,
        ...(stop === undefined
          ? {}
          : { deadlineInMs: Math.max(0, stop.plan.deadlineAtMs - now()), reason: stop.request.reason }),
      };
    },
    totals: () => view.parts()?.ledger.totals() ?? noTotals(),
    running: () => view.parts()?.pool.running ?? 0,
    methods() {
      const parts = view.parts();
      return parts === undefined ? [] : parts.ledger.methods(parts.desk.methods);
    },
    lanes: () => view.parts()?.pool.status() ?? [],
    connections() {
      const counts = view.parts()?.connections.counts;
      return {
        open: counts?.open ?? 0,
        accepted: counts?.accepted ?? 0,
        closedByKind: counts?.closedBy ?? {},
        byProtocol: counts?.byKind ?? {},
      };
    },
    inFlight: () => inFlightByMethod(view.parts()?.pool.calls() ?? [], now()),
    drain: () => drainStatus(view, now()),
    canUndrain: () => view.lifecycle().canUndrain,
    limits: () => limitsOf(view.parts()),
    get lastReport() {
      return view.lastReport();
    },
    get takeover() {
      return view.takeover().status;
    },
    requestTakeover: () => view.takeover().request(),
    requestDrain: (reason) => view.requestDrain(reason),
    undrain: () => view.lifecycle().undrain(),
    log: (level, message, fields) => log[level](message, fields),
  };
}

function drainStatus(view: AdminView, nowMs: number): DrainStatus | null {
  const lifecycle = view.lifecycle();
  const timeline = view.timeline();
  const { state, stop } = lifecycle;
  if (stop === undefined || timeline === undefined) return null;
  const waited = state.phase === "draining" ? [...(view.parts()?.pool.calls() ?? [])] : [];
  const waiting = waited
    .map(([call]) => call)
    .filter(({ stage }) => stage !== "settled")
    .sort((a, b) => a.receivedAtMs - b.receivedAtMs)
    .slice(0, mostWaitedCalls)
    .map((call) => timeline.waiting(call));
  return {
    reason: stop.request.reason,
    sinceMs: nowMs - stop.plan.requestedAtMs,
    plan: drainPlanOf(stop.plan),
    phases: lifecycle.phaseMs(),
    waitedFor: timeline.waitedFor,
    moreWaitedFor: timeline.more,
    waiting,
  };
}

function readiness(view: AdminView): Readiness {
  const { phase } = view.lifecycle().state;
  if (view.parts()?.state?.died === true) return { ready: false, reason: "the state thread died" };
  if (phase !== "serving") return { ready: false, reason: phase };
  if ((view.parts()?.pool.readyLanes ?? 0) === 0) return { ready: false, reason: "no worker is ready" };
  return { ready: true };
}

function limitsOf(parts: Parts | undefined): LimitStatus {
  if (parts === undefined) return { hits: {}, connectionBytes: 0, callBytes: 0, malformed: {} };
  const { limitedBy, heldBytes, malformedBy } = parts.connections.counts;
  const hits: Record<string, number> = Object.fromEntries(limitOptions.map((option) => [option, 0]));
  Object.assign(hits, limitedBy, parts.desk.refused, {
    maxConnections: parts.acceptor.dropped,
    maxBuffered: (limitedBy["maxBuffered"] ?? 0) + parts.desk.refused.maxBuffered,
    workerMemory: parts.pool.recycled,
  });
  return { hits, connectionBytes: heldBytes, callBytes: parts.ledger.heldBytes, malformed: malformedBy };
}

/** The options that limit something: each is there from the start. */
const limitOptions: readonly string[] = [
  "maxFrameSize",
  "maxMessageSize",
  "recursionLimit",
  "maxContainerElements",
  "maxConnections",
  "maxInFlight",
  "maxInFlightPerConnection",
  "maxBuffered",
  "writeHighWater",
  "writeTimeout",
  "idleTimeout",
  "partialFrameTimeout",
  "tlsHandshakeTimeout",
  "maxConnectionAge",
  "workerMemory",
];

function noTotals(): ReturnType<Parts["ledger"]["totals"]> {
  return {
    received: 0,
    completed: 0,
    failed: 0,
    rejected: 0,
    expired: 0,
    orphaned: 0,
    oneway: 0,
    cut: 0,
    owed: 0,
    malformed: 0,
    orphanedStarted: 0,
  };
}

function packageVersion(): string {
  const description = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(description) as { version: string }).version;
}
