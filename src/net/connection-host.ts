/** What a connection needs of those around it. */
import type { CallDesk } from "../calls/desk.ts";
import type { WireLimits } from "../wire/message.ts";
import type { LiveConnection } from "./live-connection.ts";

/** Why bytes were no acceptable message: a `WireError`, or what a transport says. */
export interface Malformation {
  /** As it is counted. */
  readonly kind: string;
  readonly message: string;
}

export interface ConnectionHost {
  readonly desk: CallDesk;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  /** What may still come after our FIN before the connection is cut off. */
  readonly maxDiscardedBytes: number;
  /** Whether a connection is about to end: the server is in lame-duck, or the connection drains. */
  isLeaving(connection: LiveConnection): boolean;
  /** Whether a connection that has nothing to do is to end: the server drains, or the connection is too old. */
  isDraining(connection: LiveConnection): boolean;
  now(): number;
  bytesRead(count: number): void;
  /** So many bytes were kept that could not be handed on: see `maxBuffered`. */
  held(bytes: number): void;
  /** A limit made itself felt: the name of its option. */
  limited(option: string): void;
  /** Bytes came that are no message; the connection ends. */
  malformed(connection: LiveConnection, error: Malformation): void;
  /** Nothing is in flight any more. */
  idle(connection: LiveConnection): void;
  /** Our FIN is on its way. */
  ending(connection: LiveConnection): void;
  closed(connection: LiveConnection): void;
}

/** What a call hears that came too late. Clients take "not started" for leave to repeat it: see docs/clients.md. */
export const drainRefusal: string = "the server is draining; not started, call another one";
