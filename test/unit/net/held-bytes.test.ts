import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldBytes } from "../../../src/net/held-bytes.ts";
import type { LiveConnection } from "../../../src/net/live-connection.ts";

interface Fake {
  heldBytes: number;
}

function rig(maxBytes: number, held: readonly number[]): { heldBytes: HeldBytes; closed: number[] } {
  const closed: number[] = [];
  const connections = held.map((heldBytes): Fake => ({ heldBytes }));
  const open = new Map(connections.map((connection) => [connection as unknown as LiveConnection, {}]));
  const heldBytes = new HeldBytes(maxBytes, open, (connection) => closed.push(connection.heldBytes));
  return { heldBytes, closed };
}

test("as long as all together hold no more than the limit, nobody is closed", () => {
  const { heldBytes, closed } = rig(1000, [500, 400, 100]);
  heldBytes.check();
  assert.equal(heldBytes.count(), 1000);
  assert.deepEqual(closed, []);
});

test("above the limit those that hold most are closed, and no more of them than needed", () => {
  const { heldBytes, closed } = rig(1000, [100, 700, 10, 600]);
  heldBytes.check();
  assert.deepEqual(closed, [700]);
  assert.equal(heldBytes.count(), 710);
});

test("one that was told to close does not count while it is still there", () => {
  const { heldBytes, closed } = rig(1000, [900, 200]);
  heldBytes.check();
  heldBytes.check();
  assert.deepEqual(closed, [900]);
});

test("connections are looked at when a sixteenth of the limit has come together, not at every byte", () => {
  const { heldBytes, closed } = rig(1600, [2000]);
  heldBytes.add(60);
  heldBytes.add(40);
  assert.deepEqual(closed, []);
  heldBytes.add(1);
  assert.deepEqual(closed, [2000]);
});
