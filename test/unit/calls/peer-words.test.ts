import assert from "node:assert/strict";
import { isIPv6, SocketAddress } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { packPeerWords, peerOfWords } from "../../../src/calls/peer-words.ts";

const through = (address?: string, port?: number): string => peerOfWords(packPeerWords(address, port), 0);

/** An address in its one canonical form. */
const canonical = (peer: string): string => {
  const [, address, port] = /^\[?(.*?)\]?:(\d+)$/.exec(peer)!;
  const family = isIPv6(address!) ? "ipv6" : "ipv4";
  const { address: form } = new SocketAddress({ address: address!, family });
  return `${form} ${port}`;
};

describe("a peer's address in shared memory", () => {
  it("is the same for people as before", () => {
    assert.equal(through("10.200.255.1", 65_535), "10.200.255.1:65535");
    assert.equal(through("::ffff:127.0.0.1", 1), "127.0.0.1:1");
    assert.equal(through(undefined, undefined), "unix");
    assert.equal(canonical(through("::1", 80)), "::1 80");
    assert.equal(canonical(through("fe80::1%eth0", 80)), "fe80::1 80");
  });

  it("comes through whatever it is", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6().filter((text) => !text.includes(".")),
        ),
        fc.integer({ min: 0, max: 65_535 }),
        (address, port) => {
          const given = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
          assert.equal(canonical(through(address, port)), canonical(given));
        },
      ),
    );
  });
});
