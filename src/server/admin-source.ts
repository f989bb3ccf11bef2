/** What the admin port and fb303 read of the server. */
import { readFileSync } from "node:fs";
import type { AdminSource, Readiness } from "../admin/source.ts";
import type { Lifecycle } from "../lifecycle/lifecycle.ts";
import type { ServerLog } from "../log/log.ts";
import type { Parts } from "./parts.ts";
import type { DrainReport } from "./report.ts";
import type { Takeover } from "./takeover.ts";

/** What of the server comes into being after its admin source. */
export interface AdminView {
  parts(): Parts | undefined;
  lifecycle(): Lifecycle;
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
        malformedByKind: counts?.malformedBy ?? {},
        byProtocol: counts?.byKind ?? {},
      };
    },
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

function readiness(view: AdminView): Readiness {
  const { phase } = view.lifecycle().state;
  if (view.parts()?.state?.died === true) return { ready: false, reason: "the state thread died" };
  if (phase !== "serving") return { ready: false, reason: phase };
  if ((view.parts()?.pool.readyLanes ?? 0) === 0) return { ready: false, reason: "no worker is ready" };
  return { ready: true };
}

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
