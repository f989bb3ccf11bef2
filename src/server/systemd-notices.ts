/** What systemd is told of a server, and when. Decides only; `systemd-relay.ts` sends. */
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { PhaseName } from "../lifecycle/phases.ts";

/** What of a server the notices tell. */
export interface NoticedServer {
  readonly phase: PhaseName;
  /** Until the deadline of the stop in progress, in ms; undefined when there is no stop. */
  readonly deadlineInMs: number | undefined;
  /** Whether the stop in progress can be taken back. */
  readonly canUndrain: boolean;
  readonly owed: number;
  readonly connections: number;
}

export interface NoticesOptions {
  readonly look: () => NoticedServer;
  /** Sends one message: its assignments, such as `READY=1`. */
  readonly send: (assignments: readonly string[]) => void;
  readonly clock: Clock;
  /** How often systemd wants a sign of life, in ms: `WATCHDOG_USEC`; undefined when it wants none. */
  readonly watchdogMs: number | undefined;
  /** Until when a start asks for more time, on the clock's scale. */
  readonly startEndsAtMs: number;
}

/** How often the state is looked at, in ms. Each message starts a short process. */
const lookMs = 1000;
/** How often the status is told while nothing but the numbers changes, in ms. */
const servingStatusMs = 10_000;
/** More time is asked for in pieces of at most this length, in ms: one that stands still is not waited for. */
const longestExtensionMs = 5000;
/** What is asked for beyond a deadline, for the process to end, in ms. */
const extensionMarginMs = 1000;

/**
 * Tells a service manager of `Type=notify` how a server lives: READY, RELOADING, STOPPING, STATUS, and WATCHDOG at half
 * its interval. More time (EXTEND_TIMEOUT_USEC) is asked for while the deadline of start or stop lies ahead and the main
 * thread comes to ask: whoever stands still, or is over its deadline, gets none.
 */
export class SystemdNotices {
  readonly #options: NoticesOptions;
  #told: "starting" | "ready" | "stopping" | "over" = "starting";
  #status = "";
  #statusAtMs = Number.NEGATIVE_INFINITY;
  #phase: PhaseName | undefined;
  #look: Timer | undefined;
  #watchdog: Timer | undefined;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Begins; to be called when the server can be looked at. */
  begin(): void {
    this.look();
    this.#lookLater();
    if (this.#options.watchdogMs !== undefined) this.#signOfLife(this.#options.watchdogMs / 2);
  }

  /** Looks, and tells what changed. To be called at each change of phase; calls itself once a second. */
  look(): void {
    if (this.#told === "over") return;
    const server = this.#options.look();
    const assignments = [...this.#stateOf(server), ...this.#statusOf(server), ...this.#extensionOf(server)];
    this.#phase = server.phase;
    if (assignments.length > 0) this.#options.send(assignments);
    if (server.phase === "stopped") this.#end();
  }

  /** A reload begins. @param monotonicUs the system's CLOCK_MONOTONIC, in µs */
  reloading(monotonicUs: bigint): void {
    if (this.#told !== "ready") return;
    this.#options.send(["RELOADING=1", `MONOTONIC_USEC=${monotonicUs}`]);
  }

  /** The reload has ended. */
  reloaded(): void {
    if (this.#told === "ready") this.#options.send(["READY=1"]);
  }

  /** Another process is the service from now on; it tells of itself. This one is silent. */
  handedOver(pid: number): void {
    if (this.#told === "over") return;
    this.#options.send([`MAINPID=${pid}`]);
    this.#end();
  }

  #stateOf(server: NoticedServer): string[] {
    switch (server.phase) {
      case "starting":
        return [];
      case "serving":
        if (this.#told !== "starting") return [];
        this.#told = "ready";
        return ["READY=1"];
      case "lame-duck":
        // STOPPING can't be taken back, and begins systemd's own time-out.
        return server.canUndrain ? [] : this.#stopping();
      default:
        return this.#stopping();
    }
  }

  #stopping(): string[] {
    if (this.#told === "stopping") return [];
    this.#told = "stopping";
    return ["STOPPING=1"];
  }

  #statusOf(server: NoticedServer): string[] {
    const now = this.#options.clock.now();
    const status = describe(server);
    const restless = server.phase === "serving" && this.#phase === "serving";
    if (status === this.#status || (restless && now - this.#statusAtMs < servingStatusMs)) return [];
    this.#status = status;
    this.#statusAtMs = now;
    return [`STATUS=${status}`];
  }

  #extensionOf(server: NoticedServer): string[] {
    const leftMs = this.#leftMs(server);
    if (leftMs === undefined || leftMs <= 0) return [];
    const wantedMs = Math.min(leftMs, longestExtensionMs) + extensionMarginMs;
    return [`EXTEND_TIMEOUT_USEC=${Math.ceil(wantedMs) * 1000}`];
  }

  #leftMs({ phase, deadlineInMs }: NoticedServer): number | undefined {
    if (this.#told === "stopping") return phase === "stopped" ? undefined : deadlineInMs;
    return phase === "starting" ? this.#options.startEndsAtMs - this.#options.clock.now() : undefined;
  }

  #lookLater(): void {
    if (this.#told === "over") return;
    const { clock } = this.#options;
    this.#look = clock.setTimer(clock.now() + lookMs, () => {
      this.look();
      this.#lookLater();
    });
  }

  #signOfLife(everyMs: number): void {
    if (this.#told === "over") return;
    const { clock, send } = this.#options;
    this.#watchdog = clock.setTimer(clock.now() + everyMs, () => {
      send(["WATCHDOG=1"]);
      this.#signOfLife(everyMs);
    });
  }

  #end(): void {
    this.#told = "over";
    this.#look?.cancel();
    this.#watchdog?.cancel();
  }
}

/** The status line, as `systemctl status` shows it. */
function describe({ phase, owed, connections, deadlineInMs }: NoticedServer): string {
  const calls = `${count(owed, "call")} in flight, ${count(connections, "connection")}`;
  switch (phase) {
    case "starting":
    case "stopped":
      return phase;
    case "serving":
      return `serving: ${calls}`;
    default:
      return `${phase}: ${calls}, at most ${Math.ceil((deadlineInMs ?? 0) / 1000)} s left`;
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** `WATCHDOG_USEC` in ms, when it is meant for this process. */
export function watchdogMsOf(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = env;
  const micros = Number(WATCHDOG_USEC);
  if (WATCHDOG_USEC === undefined || !(micros > 0)) return undefined;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== "" && Number(WATCHDOG_PID) !== pid) return undefined;
  return micros / 1000;
}
