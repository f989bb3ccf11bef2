/**
 * All connections of the server: their count, their time limits, and how they end in a drain.
 */
import type { Socket } from "node:net";
import type { CallDesk } from "../calls/desk.ts";
import type { Clock, Timer } from "../lifecycle/clock.ts";
import { decideQuiet, type QuietDecision } from "../lifecycle/quiet.ts";
import type { WireLimits } from "../wire/message.ts";
import { type Arrival, createArrival } from "./arrival.ts";
import type { Malformation } from "./connection-host.ts";
import type { CloseReason } from "./connection-state.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { LiveConnection } from "./live-connection.ts";
import { afterNextRead } from "./next-read.ts";
import { Reception, type ReceptionOptions, type Registry } from "./reception.ts";
import { leavesAtMs, overdueBy, ReadingWatch, type TimeLimits } from "./time-limits.ts";

export interface ConnectionsOptions extends ReceptionOptions, TimeLimits {
  readonly desk: CallDesk;
  readonly clock: Clock;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  readonly maxBufferedBytes: number;
  readonly quietMs: number;
  readonly busyCloseMs: number;
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

/** The options that messages broke, by how the malformation is counted. */
const limitOfMalformation: Readonly<Record<string, string>> = {
  "frame-too-large": "maxFrameSize",
  "message-too-large": "maxMessageSize",
  "too-deep": "recursionLimit",
  "too-many-elements": "maxContainerElements",
};

/** What is known of a connection whatever it goes on as. */
interface Standing {
  /** Whether it came through TLS. */
  readonly secure: boolean;
  /** When it is too old. */
  readonly leavesAtMs: number;
  /** Since when it drains because it is too old. */
  agedSinceMs: number | undefined;
  readonly watch: ReadingWatch;
}

export class Connections implements Registry {
  readonly desk: CallDesk;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  readonly maxDiscardedBytes: number = maxDiscardedBytes;
  readonly #options: ConnectionsOptions;
  readonly #reception: Reception;
  readonly #open = new Map<LiveConnection, Standing>();
  readonly #timers = new Map<LiveConnection, Timer>();
  readonly #closedBy = new Map<CloseReason | "age", number>();
  readonly #malformedBy = new Map<string, number>();
  readonly #limitedBy = new Map<string, number>();
  readonly #held: HeldBytes;
  #accepted = 0;
  #bytesRead = 0;
  #lameDuck = false;
  #drainingSinceMs: number | undefined;
  #busyCloseMs: number;
  #sweep: Timer | undefined;
  /** Called in a drain when a connection begins to end: our FIN follows what is written. */
  onEnding: () => void = () => {};
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
    this.#held = new HeldBytes(options.maxBufferedBytes, this.#open, (connection) =>
      this.#tooLarge(connection),
    );
  }

  isLeaving(connection: LiveConnection): boolean {
    return this.#lameDuck || this.isDraining(connection);
  }

  isDraining(connection: LiveConnection): boolean {
    return this.#drainingSinceOf(connection) !== undefined;
  }

  /** A connection that is too old drains before the server does. */
  #drainingSinceOf(connection: LiveConnection): number | undefined {
    return this.#open.get(connection)?.agedSinceMs ?? this.#drainingSinceMs;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether all that are open have begun to end: no call can come any more. */
  get allEnding(): boolean {
    for (const { state } of this.#open.keys()) if (state !== "ending" && state !== "closed") return false;
    return true;
  }

  /** Counts for the admin port. */
  get counts(): {
    open: number;
    accepted: number;
    bytesRead: number;
    closedBy: Record<string, number>;
    malformedBy: Record<string, number>;
    byKind: Record<string, number>;
    limitedBy: Record<string, number>;
    heldBytes: number;
  } {
    const byKind: Record<string, number> = {};
    for (const [{ kind = "silent" }, { secure }] of this.#open) {
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
      limitedBy: Object.fromEntries(this.#limitedBy),
      heldBytes: this.#held.count(),
    };
  }

  /** Takes in an accepted socket; also in a drain, when its accept completed late. */
  accept(socket: Socket): void {
    this.#reception.accept(socket, createArrival(++this.#accepted, socket));
    this.#sweepSoon();
  }

  add(connection: LiveConnection, { secure }: Arrival): void {
    const leaves = leavesAtMs(this.#options, this.now(), Math.random());
    this.#enter(connection, {
      secure,
      leavesAtMs: leaves,
      agedSinceMs: undefined,
      watch: new ReadingWatch(),
    });
  }

  replace(connection: LiveConnection, next: LiveConnection, { secure }: Arrival): void {
    const standing = this.#open.get(connection)!;
    this.#forget(connection);
    this.#enter(next, { ...standing, secure });
  }

  #enter(connection: LiveConnection, standing: Standing): void {
    this.#open.set(connection, standing);
    this.idle(connection);
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

  held(bytes: number): void {
    this.#held.add(bytes);
  }

  limited(option: string): void {
    this.#limitedBy.set(option, (this.#limitedBy.get(option) ?? 0) + 1);
  }

  #tooLarge(connection: LiveConnection): void {
    this.limited("maxBuffered");
    this.#options.log(
      "warn",
      "all connections together hold too much (maxBuffered); this one held most and is closed",
      {
        peer: connection.peer,
        heldBytes: connection.heldBytes,
      },
    );
    connection.destroy("memory");
  }

  malformed(connection: LiveConnection, error: Malformation): void {
    this.desk.ledger.malformed();
    const limit = limitOfMalformation[error.kind];
    if (limit !== undefined) this.limited(limit);
    this.#malformedBy.set(error.kind, (this.#malformedBy.get(error.kind) ?? 0) + 1);
    this.#options.log("warn", "a connection sent what is no acceptable message; it is closed", {
      peer: connection.peer,
      kind: error.kind,
      error: error.message,
    });
  }

  idle(connection: LiveConnection): void {
    if (this.isDraining(connection)) this.#consider(connection);
  }

  ending(connection: LiveConnection): void {
    const calm = connection.wasSilent && connection.bytesWrittenLately < littleBytes;
    this.#setTimer(connection, this.now() + (calm ? shortLingerMs : lingerMs), () =>
      connection.destroy("drain"),
    );
    if (this.#drainingSinceMs !== undefined) this.onEnding();
  }

  closed(connection: LiveConnection): void {
    const aged = connection.closeReason === "drain" && this.#open.get(connection)?.agedSinceMs !== undefined;
    const reason = aged ? "age" : connection.closeReason;
    if (connection.kind === "tls-handshake" && reason === "timeout") this.limited("tlsHandshakeTimeout");
    this.#forget(connection);
    this.#closedBy.set(reason, (this.#closedBy.get(reason) ?? 0) + 1);
    if (this.#drainingSinceMs !== undefined && this.#open.size === 0) this.onEmpty();
  }

  #forget(connection: LiveConnection): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.delete(connection);
    this.#open.delete(connection);
  }

  /** Applies the quiet rule to a connection, now and again when it says so. */
  #consider(connection: LiveConnection): void {
    if (isOnItsWay(connection)) return;
    const decision = this.#decide(connection);
    switch (decision.kind) {
      case "wait":
        this.#setTimer(connection, decision.untilMs, () => this.#consider(connection));
        break;
      case "close":
        // What was sent while the event loop stood still, or while reading was paused, is read first.
        afterNextRead(() => this.#closeSilent(connection));
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
    if (!this.#open.has(connection) || isOnItsWay(connection)) return;
    if (this.#decide(connection).kind === "close") connection.end("drain");
    else this.#consider(connection);
  }

  #decide(connection: LiveConnection): QuietDecision {
    const settings = { quietMs: this.#options.quietMs, busyCloseMs: this.#busyCloseMs };
    return decideQuiet(connection.activity, settings, this.#drainingSinceOf(connection)!, this.now());
  }

  #setTimer(connection: LiveConnection, atMs: number, fire: () => void): void {
    this.#timers.get(connection)?.cancel();
    this.#timers.set(connection, this.#options.clock.setTimer(atMs, fire));
  }

  #sweepSoon(): void {
    if (this.#sweep !== undefined) return;
    const { clock } = this.#options;
    this.#sweep = clock.setTimer(clock.now() + sweepMs, () => {
      this.#sweep = undefined;
      for (const [connection, standing] of this.#open) this.#checkTimes(connection, standing);
      this.#held.check();
      if (this.#open.size > 0) this.#sweepSoon();
    });
  }

  #checkTimes(connection: LiveConnection, standing: Standing): void {
    if (connection.state === "ending" || connection.state === "closed") return;
    const nowMs = this.now();
    const { writeTimeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const stalledMs = standing.watch.note(connection.unreadBytes, nowMs);
    // A FIN would not get past what the peer does not read.
    if (stalledMs > writeTimeoutMs) {
      this.limited("writeTimeout");
      connection.destroy("timeout");
      return;
    }
    const overdue = connection.state === "open" ? overdueBy(connection, this.#options, nowMs) : undefined;
    if (overdue !== undefined) {
      this.limited(overdue);
      connection.end("timeout");
    } else if (nowMs >= standing.leavesAtMs && standing.agedSinceMs === undefined) {
      this.limited("maxConnectionAge");
      standing.agedSinceMs = nowMs;
      this.#consider(connection);
    }
  }
}

/** Whether it has begun to end. */
function isOnItsWay({ state }: LiveConnection): boolean {
  return state === "leaving" || state === "ending" || state === "closed";
}
