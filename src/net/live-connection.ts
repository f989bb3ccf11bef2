/** What all connections of the server have in common, whatever they speak: what `Connections` counts and ends. */
import type { ConnectionActivity } from "../lifecycle/quiet.ts";
import type { CloseReason, ConnectionState } from "./connection-state.ts";

export interface LiveConnection {
  /** The peer's address, for people. */
  readonly peer: string;
  /** What it speaks, for example "framed-binary" or "http"; undefined while nobody knows. */
  readonly kind: string | undefined;
  readonly state: ConnectionState;
  readonly closeReason: CloseReason;
  /** What the quiet rule wants to know. */
  readonly activity: ConnectionActivity;
  /** Calls without an outcome. */
  readonly inFlight: number;
  readonly lastActivityAtMs: number;
  /** When the first byte came of what is not whole yet; 0 when there is no such thing. */
  readonly partialSinceMs: number;
  /** Whether nothing was going on when it began to end. */
  readonly wasSilent: boolean;
  /** Bytes of the last replies, which the kernel may still hold. */
  readonly bytesWrittenLately: number;
  /** Bytes that it keeps: of requests that are not whole, and of replies that are not written. */
  readonly heldBytes: number;
  /** Bytes of replies for which the peer has not made room yet; 0 when nothing waits for it. */
  readonly unreadBytes: number;
  /** In a drain: hands nothing more to workers; further calls are refused. */
  stopDispatching(): void;
  /** Refuses what was read whole, then ends. */
  refuseAndEnd(): void;
  /** Ends it behind the last reply, so that the peer can read all of it. */
  end(reason: CloseReason): void;
  /** Gives it up at once. */
  destroy(reason: CloseReason): void;
  /** The server is in lame-duck. Only where a client asked to be told is anything sent. */
  announceLameDuck?(): void;
}
