import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { findPredecessor, predecessorVariable } from "../../../src/cli/predecessor.ts";
import { startSuccessor } from "../../../src/cli/successor.ts";

test("process 1 of a container can't be replaced", (t) => {
  const { pid } = process;
  Object.defineProperty(process, "pid", { value: 1, configurable: true });
  t.after(() => Object.defineProperty(process, "pid", { value: pid, configurable: true }));
  const listeners = { thrift: createServer(), admin: createServer() };
  assert.throws(() => startSuccessor(listeners), {
    code: "SLUICE_TAKEOVER_REFUSED",
    message: /process 1 of a container/,
  });
});

test("a listener that does not listen is not handed over", () => {
  const listeners = { thrift: createServer(), admin: createServer() };
  assert.throws(() => startSuccessor(listeners), { code: "SLUICE_TAKEOVER_REFUSED" });
});

test("the variable alone makes no successor, and what this process starts does not see it", (t) => {
  const { channel } = process;
  Object.defineProperty(process, "channel", { value: undefined, configurable: true });
  t.after(() => Object.defineProperty(process, "channel", { value: channel, configurable: true }));
  process.env[predecessorVariable] = "1:3";
  assert.equal(findPredecessor(), undefined);
  assert.equal(process.env[predecessorVariable], undefined);
});
