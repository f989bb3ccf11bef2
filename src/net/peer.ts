/** A peer's address, for people and packed for shared memory. */
import { packPeerWords, peerOfWords } from "../calls/peer-words.ts";

/** A connection's peer in both forms. */
export interface Peer {
  readonly text: string;
  readonly words: Int32Array;
}

/** Makes both from what the socket says; a Unix domain socket says nothing. */
export function packPeer(address: string | undefined, port: number | undefined): Peer {
  const words = packPeerWords(address, port);
  return { text: peerOfWords(words, 0), words };
}
