/** A running server: what a program can ask of it, and what holds its parts together. */
import type { AdminSource } from "../admin/source.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../lifecycle/clock.ts";
import { StartOverrunError, UndrainedError } from "../lifecycle/errors.ts";
import { Lifecycle } from "../lifecycle/lifecycle.ts";
import type { PhaseName } from "../lifecycle/phases.ts";
import type { SignalAction } from "../lifecycle/signals.ts";
import type { StopRequest } from "../lifecycle/stop-plan.ts";
import type { ServerLog } from "../log/log.ts";
import { describeError } from "../service/thrown.ts";
import { createAdminSource } from "./admin-source.ts";
import { type InheritedListeners, inheritedListeners } from "./inherited.ts";
import { createParts, openAdmin, type Parts } from "./parts.ts";
import { Reloads } from "./reloads.ts";
import type { DrainReport } from "./report.ts";
import { handleSignals } from "./signals.ts";
import { startWaitsFor, startWorkers } from "./start.ts";
import { StopDriver } from "./stop.ts";
import type { Predecessor, Succession } from "./succession.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";
import { Takeover } from "./takeover.ts";

/** How long a call has between its notice and its cut, in ms. */
const abortNoticeMs = 200;

/** Where a server is found. */
export interface ServerAddresses {
  /** The address that Thrift clients connect to. */
  readonly host: string;
  /** Their port: where the option was 0, the one that was picked. */
  readonly port: number;
  /** The path, when it listens on a Unix domain socket; host and port are then "" and 0. */
  readonly socket?: string;
  /** The address of the admin port. */
  readonly adminHost: string;
  /** The admin port: where the option was 0, the one that was picked. */
  readonly adminPort: number;
}

/** A server. Made by `serve()`. */
export class Server implements AsyncDisposable {
  /** Resolves with the drain report when the server has stopped, whoever asked for it. Never rejects. */
  readonly stopped: Promise<DrainReport>;
  readonly #modules: readonly string[];
  readonly #log: ServerLog;
  readonly #parts: Parts;
  readonly #lifecycle: Lifecycle;
  readonly #stopDriver: StopDriver;
  readonly #adminSource: AdminSource;
  readonly #stopping = Promise.withResolvers<DrainReport>();
  readonly #unhandleSignals: () => void;
  readonly #supervisor: Supervisor | undefined;
  readonly #takeover: Takeover;
  readonly #predecessor: Predecessor | undefined;
  readonly #reloads: Reloads;
  readonly #inherited: InheritedListeners;
  #drain: PromiseWithResolvers<DrainReport> | undefined;
  #addresses: ServerAddresses | undefined;
  #report: DrainReport | undefined;
  /** What the report will be, while the admin port closes. */
  #reportToBe: DrainReport | undefined;

  constructor(
    modules: readonly string[],
    config: Config,
    log: ServerLog,
    clock: Clock,
    succession: Succession,
  ) {
    this.#modules = modules;
    this.#predecessor = succession.predecessor;
    this.#inherited = succession.predecessor?.listeners ?? inheritedListeners(process.env, process.pid);
    this.#log = log;
    this.stopped = this.#stopping.promise;
    // Signals first: one that comes during the start is kept.
    this.#unhandleSignals = config.signals ? handleSignals(config, (action) => this.#act(action)) : () => {};
    this.#adminSource = createAdminSource(
      {
        parts: () => this.#parts,
        lifecycle: () => this.#lifecycle,
        timeline: () => this.#stopDriver.timeline,
        lastReport: () => this.#report ?? this.#reportToBe,
        takeover: () => this.#takeover,
        requestDrain: (reason) => this.#request({ source: "post", reason }),
      },
      log,
      clock.now,
    );
    this.#parts = createParts({
      modules,
      config,
      clock,
      log,
      adminSource: this.#adminSource,
      reload: () => this.reload(),
      inherited: this.#inherited,
    });
    this.#stopDriver = new StopDriver(this.#parts, {
      moved: () => this.#moved(),
      released: () => this.#takeover.released(),
      undrained: () => this.#undrained(),
      ending: (report) => {
        this.#reportToBe = report;
      },
      stopped: (report) => this.#stopped(report),
    });
    // A successor may have to wait for all of its predecessor's stop.
    const startTimeoutMs = config.startTimeoutMs + (this.#predecessor === undefined ? 0 : config.graceMs);
    const waitsFor = (): string => startWaitsFor(this.#parts, modules);
    const settings = { ...config, abortNoticeMs, startTimeoutMs, startWaitsFor: waitsFor };
    this.#lifecycle = new Lifecycle(settings, clock, this.#stopDriver);
    this.#stopDriver.attach(this.#lifecycle);
    log.info("starting", { modules, workers: config.workers });
    // Who answers the process's signals speaks for the process.
    this.#supervisor = config.signals
      ? createSupervisor({
          parts: this.#parts,
          lifecycle: this.#lifecycle,
          clock,
          log,
          startTimeoutMs,
          env: process.env,
        })
      : undefined;
    this.#reloads = new Reloads({
      parts: this.#parts,
      phase: () => this.phase,
      supervisor: this.#supervisor,
      log,
    });
    this.#takeover = new Takeover({
      parts: this.#parts,
      startSuccessor: succession.startSuccessor,
      phase: () => this.phase,
      log,
      handOver: (pid) => {
        this.#supervisor?.handedOver(pid);
        this.#request({ source: "takeover", reason: `process ${pid} takes over` });
      },
    });
  }

  /** Where the server is in its life. */
  get phase(): PhaseName {
    return this.#lifecycle.state.phase;
  }

  /** Where it listens. Undefined before, and for ever when a stop came during the start. */
  get addresses(): ServerAddresses | undefined {
    return this.#addresses;
  }

  /** The port of Thrift clients; 0 for a Unix domain socket, or when it does not listen. */
  get port(): number {
    return this.#addresses?.port ?? 0;
  }

  /** The admin port; 0 as long as it is not open. */
  get adminPort(): number {
    return this.#addresses?.adminPort ?? 0;
  }

  /**
   * Starts. Called by `serve()`.
   *
   * @throws what kept the server from starting
   * @internal
   */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.#lifecycle.startFailed(error);
    }
    if (this.#lifecycle.state.phase === "serving") return;
    const report = await this.stopped;
    const { state } = this.#lifecycle;
    if (state.phase === "stopped" && state.startFailure !== undefined) throw state.startFailure.cause;
    if (report.outcome === "start-failed") throw new StartOverrunError();
  }

  /**
   * Stops the server: takes no new work, answers every call that it took, flushes and closes. Called again it
   * returns the same promise.
   *
   * @param reason for the log and the report. Default: drain
   * @returns the drain report; rejects with `UndrainedError` when the drain is taken back
   */
  drain(reason = "drain"): Promise<DrainReport> {
    this.#request({ source: "api", reason });
    if (this.#drain === undefined) {
      this.#drain = Promise.withResolvers<DrainReport>();
      this.#drain.promise.catch(() => {});
      if (this.#report !== undefined) this.#drain.resolve(this.#report);
    }
    return this.#drain.promise;
  }

  /**
   * Takes a drain back: the server is ready again, and the promise of `drain` rejects with `UndrainedError`.
   *
   * @throws {UndrainRefusedError} in any phase but lame-duck, and when a signal or a fault asked for the stop
   */
  undrain(): void {
    this.#lifecycle.undrain();
  }

  /**
   * Reads the files of TLS again, has every worker reload its services, then calls `onHup`. Calls in flight are
   * not disturbed. A service or certificate that can't be reloaded is logged and stays as it was. Does nothing in a
   * start or stop.
   *
   * @throws what `onHup` throws
   */
  reload(): Promise<void> {
    return this.#reloads.reload();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain("disposed");
  }

  async #open(): Promise<void> {
    const { acceptor, listenAt } = this.#parts;
    if (this.#predecessor === undefined) await this.#openAdmin();
    await Promise.race([
      this.#startWorkers(this.#predecessor),
      // A start that takes too long, or is forced, is not waited for.
      this.stopped,
    ]);
    if (this.#lifecycle.state.phase !== "starting") return;
    if (this.#lifecycle.stop === undefined) {
      await acceptor.listen(listenAt);
      this.#addresses = addressesOf(acceptor.address, this.#parts.admin!);
    }
    this.#lifecycle.started();
    if (this.phase === "serving") this.#log.contract("listening", { ...this.#addresses });
  }

  /** A successor opens the admin port when its predecessor has left it, and waits for what that one holds. */
  async #startWorkers(predecessor: Predecessor | undefined): Promise<void> {
    const untilLetGo = async (): Promise<void> => {
      await predecessor?.askToLetGo("waiting");
      await this.#openAdmin();
      await predecessor?.released;
    };
    await startWorkers(this.#parts, {
      modules: this.#modules,
      onStateDeath: (error) => this.#stateDied(error),
      untilLetGo: predecessor && untilLetGo,
    });
    if (predecessor === undefined || this.#parts.admin !== undefined) return;
    await predecessor.askToLetGo("ready");
    await this.#openAdmin();
  }

  async #openAdmin(): Promise<void> {
    const { config } = this.#parts;
    this.#parts.admin = await openAdmin(config, this.#adminSource, this.#inherited.admin);
  }

  #moved(): void {
    this.#supervisor?.look();
    if (this.phase !== "serving") this.#takeover.stopBegun();
  }

  #request(request: StopRequest): void {
    this.#lifecycle.requestStop(request);
  }

  #act(action: SignalAction): void {
    switch (action.kind) {
      case "drain":
        this.#request({ source: "signal", reason: action.signal, signal: action.signal });
        break;
      case "hasten":
        this.#request({ source: "signal", reason: action.signal, signal: action.signal });
        this.#lifecycle.hasten();
        break;
      case "force":
        this.#lifecycle.force(action.signal);
        break;
      case "reload":
        this.#reloads.reloadForSignal();
        break;
      case "ignore":
        this.#log.info("a signal is ignored", { why: action.why });
    }
  }

  /** Nothing can be made durable any more: stop rather than acknowledge what can't be kept. */
  #stateDied(error: Error): void {
    const thrown = error.cause === undefined ? {} : describeError(error.cause);
    this.#log.error("the state thread died", { ...thrown, error: error.message });
    this.#request({ source: "fault", reason: "the state thread died" });
  }

  #undrained(): void {
    this.#drain?.reject(new UndrainedError());
    this.#drain = undefined;
  }

  #stopped(report: DrainReport): void {
    this.#report = report;
    this.#unhandleSignals();
    this.#drain?.resolve(report);
    this.#stopping.resolve(report);
  }
}

function addressesOf(
  address: { host: string; port: number } | { path: string } | undefined,
  admin: { readonly host: string; readonly port: number },
): ServerAddresses {
  const adminAt = { adminHost: admin.host, adminPort: admin.port };
  if (address === undefined) throw new Error("the listener has no address");
  if ("path" in address) return { host: "", port: 0, socket: address.path, ...adminAt };
  return { ...address, ...adminAt };
}
