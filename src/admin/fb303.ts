/**
 * fb303's base methods, which every server answers beside its own. They run on the main thread, through the same runner
 * as handlers in workers, so that they answer also when all workers are stuck.
 */
import * as FacebookService from "../../gen/FacebookService.js";
import { outcomes } from "../calls/outcome.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { AdminSource } from "./source.ts";

/** fb303's status numbers (fb303.thrift, `fb_status`). */
export const Fb303Status = { DEAD: 0, STARTING: 1, ALIVE: 2, STOPPING: 3, STOPPED: 4, WARNING: 5 } as const;

export type Fb303StatusValue = (typeof Fb303Status)[keyof typeof Fb303Status];

/** The handler; i64s are exact numbers. */
export interface Fb303Handler {
  getName(): string;
  getVersion(): string;
  getStatus(): Fb303StatusValue;
  /** One line for people: the phase, why, and what is waited for. */
  getStatusDetails(): string;
  getCounters(): Record<string, number>;
  /** 0 for a counter that does not exist, as fb303's own base class does. */
  getCounter(key: string): number;
  /** @throws Fb303OptionError when the option can't be kept */
  setOption(key: string, value: string): void;
  /** Empty for an option that was not set. */
  getOption(key: string): string;
  getOptions(): Record<string, string>;
  /** Always empty: profiles are taken through Node's inspector. */
  getCpuProfile(profileDurationInSec: number): string;
  /** When the server started, in seconds since the epoch. */
  aliveSince(): number;
  reinitialize(): void;
  shutdown(): void;
}

/** What fb303 may do to the server. */
export interface Fb303Options {
  /** Whether `shutdown` drains the server. Anybody who can connect can call it. Default: it is ignored. */
  readonly allowShutdown?: boolean;
  /** What `reinitialize` does. Default: nothing. Not called again while it runs. */
  readonly reload?: () => void | Promise<void>;
}

/** The service as a runner takes it: name for multiplexed clients, generated module, handler. */
export interface Fb303Service {
  readonly name: "fb303";
  readonly service: typeof FacebookService;
  readonly handler: Fb303Handler;
}

/** An option that is not kept: fb303 clients are strangers, and what they send must not grow without end. */
export class Fb303OptionError extends Error {
  override readonly name = "Fb303OptionError";
  readonly code = "SLUICE_FB303_OPTION";
}

/** fb303's options mean nothing to Sluice; they are kept for clients that read back what they set. */
const MAX_OPTIONS = 64;
const MAX_OPTION_LENGTH = 1024;

/** Makes the fb303 service of a server. */
export function createFb303(source: AdminSource, options: Fb303Options = {}): Fb303Service {
  return { name: "fb303", service: FacebookService, handler: createHandler(source, options) };
}

function createHandler(source: AdminSource, options: Fb303Options): Fb303Handler {
  const kept = new Map<string, string>();
  const getCounters = (): Record<string, number> => countersOf(source);
  return {
    getName: () => source.name,
    getVersion: () => source.version,
    getStatus: () => statusOf(source),
    getStatusDetails: () => detailsOf(source),
    getCounters,
    getCounter(key) {
      const counters = getCounters();
      return Object.hasOwn(counters, key) ? counters[key]! : 0;
    },
    setOption: (key, value) => keepOption(kept, key, value),
    getOption: (key) => kept.get(key) ?? "",
    getOptions: () => Object.fromEntries(kept),
    getCpuProfile: () => "",
    aliveSince: () => Math.floor(source.startedAtMs / 1000),
    reinitialize: createReinitialize(source, options.reload),
    shutdown: createShutdown(source, options.allowShutdown ?? false),
  };
}

function statusOf(source: AdminSource): Fb303StatusValue {
  switch (source.phase().phase) {
    case "starting":
      return Fb303Status.STARTING;
    case "serving":
      return source.ready().ready ? Fb303Status.ALIVE : Fb303Status.WARNING;
    case "stopped":
      return Fb303Status.STOPPED;
    default:
      return Fb303Status.STOPPING;
  }
}

function detailsOf(source: AdminSource): string {
  const { phase, reason, deadlineInMs } = source.phase();
  const readiness = source.ready();
  if (phase === "serving") return readiness.ready ? phase : `serving, but not ready: ${readiness.reason}`;
  const parts = [reason === undefined ? phase : `${phase} (${reason})`];
  if (deadlineInMs !== undefined) {
    parts.push(`calls owed: ${source.totals().owed}`, `at most ${(deadlineInMs / 1000).toFixed(1)} s left`);
  }
  return parts.join(", ");
}

function countersOf(source: AdminSource): Record<string, number> {
  const { totals, running, connections, lanes } = takeSnapshot(source);
  const counters: Record<string, number> = { received: totals.received };
  for (const outcome of outcomes) counters[outcome] = totals[outcome];
  return Object.assign(counters, {
    owed: totals.owed,
    running,
    malformed: totals.malformed,
    "connections.open": connections.open,
    "connections.accepted": connections.accepted,
    "lanes.ready": lanes.filter(({ state }) => state === "ready").length,
    "lanes.all": lanes.length,
    "lanes.restarts": lanes.reduce((sum, lane) => sum + lane.restarts, 0),
  });
}

function keepOption(kept: Map<string, string>, key: string, value: string): void {
  // Generated code calls hasOwnProperty on the map that it writes: a key of that name would break every getOptions.
  if (key === "" || key in Object.prototype || key.length + value.length > MAX_OPTION_LENGTH) {
    throw new Fb303OptionError(`option refused: its name is reserved, or it exceeds ${MAX_OPTION_LENGTH}`);
  }
  if (!kept.has(key) && kept.size >= MAX_OPTIONS) {
    throw new Fb303OptionError(`option refused: ${MAX_OPTIONS} are kept already`);
  }
  kept.set(key, value);
}

/** Oneway: what the reload comes to is seen in the log only. */
function createReinitialize(source: AdminSource, reload: Fb303Options["reload"]): () => void {
  let reloading = false;
  const run = async (): Promise<void> => {
    try {
      await reload?.();
    } catch (err) {
      source.log("error", "the reload that fb303 reinitialize asked for failed", { err });
    } finally {
      reloading = false;
    }
  };
  return () => {
    if (reloading || reload === undefined) return;
    reloading = true;
    source.log("info", "reload asked for by fb303 reinitialize");
    void run();
  };
}

function createShutdown(source: AdminSource, allowed: boolean): () => void {
  let ignored = 0;
  return () => {
    if (allowed) return source.requestDrain("fb303 shutdown");
    // Once: anybody can call it as often as they like.
    if (ignored++ === 0)
      source.log("warn", "fb303 shutdown ignored: it is switched off (further ones are not logged)");
  };
}
