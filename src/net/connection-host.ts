/** What a connection needs of those around it. */
import type { CallDesk } from "../calls/desk.ts";
import type { WireError, WireLimits } from "../wire/message.ts";
import type { Connection } from "./connection.ts";

export interface ConnectionHost {
  readonly desk: CallDesk;
  readonly limits: WireLimits;
  readonly replyOrder: "request" | "any";
  readonly maxInFlightPerConnection: number;
  readonly writeHighWaterBytes: number;
  /** What may still come after our FIN before the connection is cut off. */
  readonly maxDiscardedBytes: number;
  now(): number;
  bytesRead(count: number): void;
  /** Bytes came that are no message; the connection ends. */
  malformed(connection: Connection, error: WireError): void;
  /** Nothing is in flight any more. */
  idle(connection: Connection): void;
  /** Our FIN is on its way. */
  ending(connection: Connection): void;
  closed(connection: Connection): void;
}
