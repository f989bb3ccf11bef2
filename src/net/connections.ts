/**
 * All connections of the server: their count, their time limits, and how they end in a drain.
 */
import type { Socket } from "node:net";
import type { CallDesk } from "../calls/desk.ts";
import type { Clock, Timer } from "../lifecycle/clock.ts";
import { decideQuiet, type QuietDecision } from "../lifecycle/quiet.ts";
import type { WireLimits } from "../wire/message.ts";
import { type Arrival, createArrival } from "./arrival.ts";
import type { CloseReason } from "./connection.ts";
import type { Malformation } from "./connection-host.ts";
import type { LiveConnection } from "./live-connection.ts";
import { Reception, type ReceptionOptions, type Registry } from "./reception.ts";

export interface ConnectionsOptions extends ReceptionOptions {
  readonly desk: CallDesk;
  readonly clock: Clock;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  readonly quietMs: number;
  readonly busyCloseMs: number;
  readonly idleTimeoutMs: number | undefined;
  readonly partialFrameTimeoutMs: number | undefined;
  readonly log: (level: "info" | "warn", message: string, fields: Record<string, unknown>) => void;
}

/** How long a connection may linger after our FIN while a reset could destroy something, in ms. */
const lingerMs = 1000;
/** How long when it was silent before, and little was written: its last reply has arrived long ago. */
const shortLingerMs = 20;
/** What the kernel may still hold of the last replies of a silent connection is less than this, in bytes. */
const littleBytes = 64 * 1024;
const maxDiscardedBytes = 16 * 1024 * 1024;
const sweepMs = 250;

export class Connections implements Registry {
  readonly desk: CallDesk;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  readonly maxDiscardedBytes: number = maxDiscardedBytes;
  readonly #options: ConnectionsOptions;
  readonly #reception: Reception;
  /** Each with whether it came through TLS. */
  readonly #open = new Map<LiveConnection, boolean>();
  readonly #timers = new Map<LiveConnection, Timer>();
  readonly #closedBy = new Map<CloseReason, number>();
  readonly #malformedBy = new Map<string, number>();
  #accepted = 0;
  #bytesRead = 0;
  #lameDuck = false;
  #drainingSinceMs: number | undefined;
  #busyCloseMs: number;
  #sweep: Timer | undefined;
  /** Called in a drain when the last connection is gone. */
  onEmpty: () => void = () => {};

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#busyCloseMs = options.busyCloseMs;
    this.desk = options.desk;
    this.limits = options.limits;
    this.replyOrder = options.replyOrder;
    this.maxInFlightPerConnection = options.maxInFlightPerConnection;
    this.writeHighWaterBytes = options.writeHighWaterBytes;
    this.#reception = new Reception(this, options);
  }

  get leaving(): boolean {
    return this.#lameDuck || this.draining;
  }

  get draining(): boolean {
    return this.#drainingSinceMs !== undefined;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Counts for the admin port. */
  get counts(): {
    open: number;
    accepted: number;
    bytesRead: number;
    closedBy: Record<string, number>;
    malformedBy: Record<string, number>;
    byKind: Record<string, number>;
  } {
    const byKind: Record<string, number> = {};
    for (const [{ kind = "silent" }, secure] of this.#open) {
      const name = secure ? `tls-${kind}` : kind;
      byKind[name] = (byKind[name] ?? 0) + 1;
    }
    return {
      open: this.#open.size,
      accepted: this.#accepted,
      bytesRead: this.#bytesRead,
      closedBy: Object.fromEntries(this.#closedBy),
      malformedBy: Object.fromEntries(this.#malformedBy),
      byKind,
    };
  }

  /** Takes in an accepted socket; also in a drain, when its accept completed late. */
  accept(socket: Socket): void {
    this.#reception.accept(socket, createArrival(++this.#accepted, socket));
    this.#sweepSoon();
  }

  add(connection: LiveConnection, { secure }: Arrival): void {
    this.#open.set(connection, secure);
    if (this.draining) this.#consider(connection);
  }

  replace(connection: LiveConnection, next: LiveConnection, arrival: Arrival): void {
    this.#forget(connection);
    this.add(next, arrival);
  }

  /** The server is in lame-duck, or no longer. Clients that asked for it are told when it begins. */
  set lameDuck(lameDuck: boolean) {
    this.#lameDuck = lameDuck;
    if (lameDuck) for (const connection of this.#open.keys()) connection.announceLameDuck?.();
  }

  /** Ends every connection as soon as it is silent. */
  drain(): void {
    this.#drainingSinceMs = this.now();
    for (const connection of this.#open.keys()) this.#consider(connection);
    if (this.#open.size === 0) this.onEmpty();
  }

  /** Waits for the silence of no connection any longer: calls that come now would be cut at once. */
  hasten(): void {
    this.#busyCloseMs = 0;
    if (this.#drainingSinceMs === undefined) return;
    for (const connection of this.#open.keys()) this.#consider(connection);
  }

  /** Gives up what is still open. */
  destroyAll(): void {
    for (const connection of this.#open.keys()) connection.destroy("drain");
  }

  /** No timers are left behind. */
  close(): void {
    this.#sweep?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  now(): number {
    return this.#options.clock.now();
  }

  bytesRead(count: number): void {
    this.#bytesRead += count;
  }

  malformed(connection: LiveConnection, error: Malformation): void {
    this.desk.ledger.malformed();
    this.#malformedBy.set(error.kind, (this.#malformedBy.get(error.kind) ?? 0) + 1);
    this.#options.log("warn", "a connection sent what is no acceptable message; it is closed", {
      peer: connection.peer,
      kind: error.kind,
      error: error.message,
    });
  }

  idle(connection: LiveConnection): void {
    if (this.#drainingSinceMs !== undefined) this.#consider(connection);
  }

  ending(connection: LiveConnection): void {
    const calm = connection.wasSilent && connection.bytesWrittenLately < littleBytes;
    this.#setTimer(connection, this.now() + (calm ? shortLingerMs : lingerMs), () =>
      connection.destroy("drain"),
    );
  }

  closed(connection: LiveConnection): void {
    this.#forget(connection);
    this.#closedBy.set(connection.closeReason, (this.#closedBy.get(connection.closeReason) ?? 0) + 1);
    if (this.#drainingSinceMs !== undefined && this.#open.size === 0) this.onEmpty();
  }

  #forget(connection: LiveConnection): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.delete(connection);
    this.#open.delete(connection);
  }

  /** Applies the quiet rule to a connection, now and again when it says so. */
  #consider(connection: LiveConnection): void {
    if (connection.state === "ending" || connection.state === "closed") return;
    const decision = this.#decide(connection);
    switch (decision.kind) {
      case "wait":
        this.#setTimer(connection, decision.untilMs, () => this.#consider(connection));
        break;
      case "close":
        // After a pause of the event loop timers come before what was sent meanwhile: that is read first.
        setImmediate(() => this.#closeSilent(connection));
        break;
      case "stop-dispatching":
        connection.stopDispatching();
        break;
      case "refuse-and-close":
        connection.refuseAndEnd();
        break;
    }
  }

  #closeSilent(connection: LiveConnection): void {
    // By now it may go on as another.
    if (!this.#open.has(connection) || connection.state === "ending") return;
    if (this.#decide(connection).kind === "close") connection.end("drain");
    else this.#consider(connection);
  }

  #decide(connection: LiveConnection): QuietDecision {
    const settings = { quietMs: this.#options.quietMs, busyCloseMs: this.#busyCloseMs };
    return decideQuiet(connection.activity, settings, this.#drainingSinceMs!, this.now());
  }

  #setTimer(connection: LiveConnection, atMs: number, fire: () => void): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.set(connection, this.#options.clock.setTimer(atMs, fire));
  }

  #sweepSoon(): void {
    if (this.#sweep !== undefined) return;
    const { clock, idleTimeoutMs, partialFrameTimeoutMs } = this.#options;
    if (idleTimeoutMs === undefined && partialFrameTimeoutMs === undefined) return;
    this.#sweep = clock.setTimer(clock.now() + sweepMs, () => {
      this.#sweep = undefined;
      for (const connection of this.#open.keys()) this.#checkTimes(connection);
      if (this.#open.size > 0) this.#sweepSoon();
    });
  }

  #checkTimes(connection: LiveConnection): void {
    if (connection.state !== "open") return;
    const { idleTimeoutMs, partialFrameTimeoutMs } = this.#options;
    const nowMs = this.now();
    const { partialSinceMs, lastActivityAtMs } = connection;
    if (partialFrameTimeoutMs !== undefined && partialSinceMs > 0) {
      if (nowMs - partialSinceMs > partialFrameTimeoutMs && connection.inFlight === 0)
        connection.end("timeout");
    } else if (idleTimeoutMs !== undefined && connection.inFlight === 0) {
      if (nowMs - lastActivityAtMs > idleTimeoutMs) connection.end("timeout");
    }
  }
}
