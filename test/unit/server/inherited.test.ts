import assert from "node:assert/strict";
import { test } from "node:test";
import { inheritedListeners } from "../../../src/server/inherited.ts";
import { isHeldElsewhere } from "../../../src/server/succession.ts";

const none = { thrift: undefined, admin: undefined };

test("descriptors are taken only when they are meant for this process", () => {
  assert.deepEqual(inheritedListeners({}, 5), none);
  assert.deepEqual(inheritedListeners({ LISTEN_FDS: "1", LISTEN_PID: "6" }, 5), none);
  assert.deepEqual(inheritedListeners({ LISTEN_FDS: "0", LISTEN_PID: "5" }, 5), none);
  assert.deepEqual(inheritedListeners({ LISTEN_FDS: "1", LISTEN_PID: "5" }, 5), {
    thrift: 3,
    admin: undefined,
  });
});

test("the socket named admin is the admin port's, wherever it stands", () => {
  const env = { LISTEN_FDS: "2", LISTEN_PID: "5" };
  const named = (names: string) => inheritedListeners({ ...env, LISTEN_FDNAMES: names }, 5);
  assert.deepEqual(named("thrift:admin"), { thrift: 3, admin: 4 });
  assert.deepEqual(named("admin:sluice.socket"), { thrift: 4, admin: 3 });
  const alone = { LISTEN_FDS: "1", LISTEN_PID: "5", LISTEN_FDNAMES: "admin" };
  assert.deepEqual(inheritedListeners(alone, 5), { thrift: undefined, admin: 3 });
});

test("a socket on which nobody would accept is an error", () => {
  const env = { LISTEN_FDS: "2", LISTEN_PID: "5", LISTEN_FDNAMES: "tcp:unix" };
  assert.throws(() => inheritedListeners(env, 5), {
    code: "SLUICE_INHERITED_LISTENERS",
    message: /FileDescriptorName=admin/,
  });
});

test("a resource that another process holds is told from one that fails, also through a cause", () => {
  const busy = Object.assign(new Error("busy"), { code: "EBUSY" });
  assert.equal(isHeldElsewhere(busy), true);
  assert.equal(isHeldElsewhere(new Error("does not open", { cause: busy })), true);
  assert.equal(isHeldElsewhere(Object.assign(new Error("in use"), { heldElsewhere: true })), true);
  assert.equal(isHeldElsewhere(Object.assign(new Error("no"), { code: "EACCES" })), false);
  assert.equal(isHeldElsewhere(undefined), false);
});
