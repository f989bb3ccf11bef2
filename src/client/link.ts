/** What a way to one endpoint has, whether it is a socket or HTTP's several. */

import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../lifecycle/clock.ts";
import type { WireLimits } from "../wire/message.ts";
import type { ProtocolName } from "../wire/protocol-names.ts";
import type { Address } from "./address.ts";
import type { AttemptListener, Carrier, ClientCall } from "./call.ts";
import type { CallCodec } from "./call-codec.ts";

/**
 * How messages travel: in frames with a length before them, one behind the other without (`unframed`), in THeader's
 * frames, which have headers, or by HTTP POST.
 */
export type ClientTransport = "framed" | "unframed" | "header" | "http";

/**
 * - `connecting`: calls wait in it. → `open`, `over`
 * - `open`: calls are written. → `leaving`, `over`
 * - `leaving`: it takes no further calls and ends when all that were sent are answered. → `over`
 * - `over`: nothing comes any more.
 */
export type LinkState = "connecting" | "open" | "leaving" | "over";

export interface Link extends Carrier {
  readonly state: LinkState;
  /** Calls that wait for this link. */
  readonly live: number;
  /** Answers that its server owes it: those to calls that were given up too, behind which others may have to wait. */
  readonly owed: number;
  /** Since when it owes an answer and has brought nothing, as the clock counts; undefined: it owes none. */
  readonly silentSinceMs: number | undefined;
  /** Set while its server does not seem to run: it gets no calls. Cleared by itself when something comes. */
  stalled: boolean;
  send(call: ClientCall): void;
  /** Whether it waits for the call's answer, or would take one that still came. */
  knows(call: ClientCall): boolean;
  /** The calls that wait for it. */
  waiting(): ClientCall[];
  /** Takes no further calls, gives back those not written yet, and ends when the others are answered. */
  leave(): void;
  /** Ends it now. Calls that wait for it fail. */
  destroy(cause: unknown): void;
  /** Resolves when nothing of it is left in the process. */
  readonly gone: Promise<void>;
}

/** Hears of a link. */
export interface LinkOwner extends AttemptListener {
  readonly name: string;
  /** Calls in flight over all of the owner's links. */
  inFlight: number;
  opened(link: Link): void;
  /** The server says that it is about to stop. */
  serverLeaves(link: Link): void;
  /** Something came over a link that was stalled. */
  spoke(link: Link): void;
  /**
   * It is over, and its calls are about to be failed.
   *
   * @param was what it had come to
   * @param lost calls that wait for it
   */
  ended(link: Link, was: LinkState, lost: number, cause: unknown): void;
}

/** What links of one client have in common. */
export interface LinkSettings {
  readonly clock: Clock;
  readonly codec: CallCodec;
  readonly protocol: ProtocolName;
  readonly transport: ClientTransport;
  readonly limits: WireLimits;
  /** Undefined: no TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;
  /** How long a connection that owes answers may be silent before no further calls are given to it, in ms. */
  readonly stallMs: number;
  readonly httpPath: string;
  /** HTTP connections to one endpoint. */
  readonly httpConnections: number;
}

/** Makes a link to an address. */
export type OpenLink = (address: Address, owner: LinkOwner) => Link;
