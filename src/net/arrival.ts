/** What is known of an accepted connection whatever it speaks. */
import { type Peer, packPeer } from "./peer.ts";

export interface Arrival {
  /** Identifies the connection in logs and reports. */
  readonly id: number;
  readonly peer: Peer;
  /** Whether it came through TLS. */
  readonly secure: boolean;
  /** Headers that all its calls have: what TLS says of the peer. Undefined when there are none. */
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** An arrival as the kernel tells it. */
export function createArrival(
  id: number,
  socket: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined },
): Arrival {
  const peer = packPeer(socket.remoteAddress, socket.remotePort);
  return { id, peer, secure: false, headers: undefined };
}
