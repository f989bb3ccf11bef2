/**
 * All connections of the server: their count, their time limits, and how they end in a drain.
 */
import type { Socket } from "node:net";
import type { CallDesk } from "../calls/desk.ts";
import type { Clock, Timer } from "../lifecycle/clock.ts";
import { decideQuiet, type QuietDecision } from "../lifecycle/quiet.ts";
import type { WireError, WireLimits } from "../wire/message.ts";
import { type CloseReason, Connection } from "./connection.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { packPeer } from "./peer.ts";

export interface ConnectionsOptions {
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

export class Connections implements ConnectionHost {
  readonly desk: CallDesk;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  readonly maxDiscardedBytes: number = maxDiscardedBytes;
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Connection>();
  readonly #timers = new Map<Connection, Timer>();
  readonly #closedBy = new Map<CloseReason, number>();
  readonly #malformedBy = new Map<string, number>();
  #accepted = 0;
  #bytesRead = 0;
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
    for (const { kind = "silent" } of this.#open) byKind[kind] = (byKind[kind] ?? 0) + 1;
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
    const peer = packPeer(socket.remoteAddress, socket.remotePort);
    const connection = new Connection(++this.#accepted, socket, peer, this);
    this.#open.add(connection);
    this.#sweepSoon();
    if (this.#drainingSinceMs !== undefined) this.#consider(connection);
  }

  /** Ends every connection as soon as it is silent. */
  drain(): void {
    this.#drainingSinceMs = this.now();
    for (const connection of this.#open) this.#consider(connection);
    if (this.#open.size === 0) this.onEmpty();
  }

  /** Waits for the silence of no connection any longer: calls that come now would be cut at once. */
  hasten(): void {
    this.#busyCloseMs = 0;
    if (this.#drainingSinceMs === undefined) return;
    for (const connection of this.#open) this.#consider(connection);
  }

  /** Gives up what is still open. */
  destroyAll(): void {
    for (const connection of this.#open) connection.destroy("drain");
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

  malformed(connection: Connection, error: WireError): void {
    this.desk.ledger.malformed();
    this.#malformedBy.set(error.kind, (this.#malformedBy.get(error.kind) ?? 0) + 1);
    this.#options.log("warn", "a connection sent what is no acceptable message; it is closed", {
      peer: connection.peer,
      kind: error.kind,
      error: error.message,
    });
  }

  idle(connection: Connection): void {
    if (this.#drainingSinceMs !== undefined) this.#consider(connection);
  }

  ending(connection: Connection): void {
    const calm = connection.wasSilent && connection.bytesWrittenLately < littleBytes;
    this.#setTimer(connection, this.now() + (calm ? shortLingerMs : lingerMs), () =>
      connection.destroy("drain"),
    );
  }

  closed(connection: Connection): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.delete(connection);
    this.#open.delete(connection);
    this.#closedBy.set(connection.closeReason, (this.#closedBy.get(connection.closeReason) ?? 0) + 1);
    if (this.#drainingSinceMs !== undefined && this.#open.size === 0) this.onEmpty();
  }

  /** Applies the quiet rule to a connection, now and again when it says so. */
  #consider(connection: Connection): void {
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

  #closeSilent(connection: Connection): void {
    if (connection.state === "ending" || connection.state === "closed") return;
    if (this.#decide(connection).kind === "close") connection.end("drain");
    else this.#consider(connection);
  }

  #decide(connection: Connection): QuietDecision {
    const settings = { quietMs: this.#options.quietMs, busyCloseMs: this.#busyCloseMs };
    return decideQuiet(connection.activity, settings, this.#drainingSinceMs!, this.now());
  }

  #setTimer(connection: Connection, atMs: number, fire: () => void): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.set(connection, this.#options.clock.setTimer(atMs, fire));
  }

  #sweepSoon(): void {
    if (this.#sweep !== undefined) return;
    const { clock, idleTimeoutMs, partialFrameTimeoutMs } = this.#options;
    if (idleTimeoutMs === undefined && partialFrameTimeoutMs === undefined) return;
    this.#sweep = clock.setTimer(clock.now() + sweepMs, () => {
      this.#sweep = undefined;
      for (const connection of this.#open) this.#checkTimes(connection);
      if (this.#open.size > 0) this.#sweepSoon();
    });
  }

  #checkTimes(connection: Connection): void {
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
