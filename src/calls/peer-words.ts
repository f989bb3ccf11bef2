/** Peers' addresses as five words in shared memory, so that no message per connection is needed. */
import { isIPv6 } from "node:net";

/** Words of a packed peer: four of address, then `port | family << 16`. */
export const peerWordCount = 5;

const family = { unix: 0, ipv4: 4, ipv6: 6 } as const;

/** Packs an address; anything that is no IP address counts as a Unix domain socket. */
export function packPeerWords(address: string | undefined, port: number | undefined): Int32Array {
  const words = new Int32Array(peerWordCount);
  if (address === undefined || port === undefined) return words;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
  const bytes = isIPv6(mapped) ? bytesOfIPv6(mapped) : mapped.split(".").map(Number);
  for (let at = 0; at < bytes.length; at++) words[at >> 2]! |= bytes[at]! << (24 - 8 * (at & 3));
  words[4] = (port & 0xffff) | ((bytes.length === 16 ? family.ipv6 : family.ipv4) << 16);
  return words;
}

/** The packed peer at `at`, for people. */
export function peerOfWords(words: Int32Array, at: number): string {
  const last = words[at + 4]!;
  if (last >> 16 === family.unix) return "unix";
  const bytes = (count: number): number[] =>
    Array.from(
      { length: count },
      (_, index) => (words[at + (index >> 2)]! >>> (24 - 8 * (index & 3))) & 0xff,
    );
  if (last >> 16 === family.ipv4) return `${bytes(4).join(".")}:${last & 0xffff}`;
  const all = bytes(16);
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((all[2 * index]! << 8) | all[2 * index + 1]!).toString(16),
  );
  return `[${groups.join(":")}]:${last & 0xffff}`;
}

function bytesOfIPv6(address: string): number[] {
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((part) => Number.parseInt(part, 16));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0);
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}
