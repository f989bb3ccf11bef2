/** The service manager that started this process, when it wants to be told how the server lives. */
import type { Clock } from "../lifecycle/clock.ts";
import type { Lifecycle } from "../lifecycle/lifecycle.ts";
import type { ServerLog } from "../log/log.ts";
import type { Parts } from "./parts.ts";
import { SystemdNotices, watchdogMsOf } from "./systemd-notices.ts";
import { openSystemdRelay } from "./systemd-relay.ts";

/** What a service manager hears of. */
export interface Supervisor {
  /** The phase changed. */
  look(): void;
  reloading(): void;
  reloaded(): void;
  /** Another process serves from now on. */
  handedOver(pid: number): void;
}

export interface SupervisorOptions {
  readonly parts: Parts;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** How long the start may take, in ms. */
  readonly startTimeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @returns undefined when no service manager asked for notices (`NOTIFY_SOCKET`) */
export function createSupervisor(options: SupervisorOptions): Supervisor | undefined {
  const { parts, lifecycle, clock, log, env } = options;
  if (env["NOTIFY_SOCKET"] === undefined || env["NOTIFY_SOCKET"] === "") return undefined;
  const relay = openSystemdRelay((why) => log.error("systemd can't be notified", { error: why }));
  const notices = new SystemdNotices({
    clock,
    send: (assignments) => relay.send(assignments),
    look() {
      const { state, stop } = lifecycle;
      return {
        phase: state.phase,
        deadlineInMs: stop && stop.plan.deadlineAtMs - clock.now(),
        canUndrain: lifecycle.canUndrain,
        owed: parts.ledger.owed,
        connections: parts.connections.size,
      };
    },
    watchdogMs: watchdogMsOf(env, process.pid),
    startEndsAtMs: clock.now() + options.startTimeoutMs,
  });
  notices.begin();
  return {
    look() {
      notices.look();
      if (lifecycle.state.phase === "stopped") relay.end();
    },
    reloading: () => notices.reloading(process.hrtime.bigint() / 1000n),
    reloaded: () => notices.reloaded(),
    handedOver(pid) {
      notices.handedOver(pid);
      relay.end();
    },
  };
}
