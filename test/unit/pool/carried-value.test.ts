import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { carry, takeOut } from "../../../src/pool/carried-value.ts";

describe("a carried value", () => {
  it("is copied for each that takes one out", () => {
    const value = { rules: ["a"] };
    const [first, second] = carry(value, 2).map(takeOut) as (typeof value)[];
    assert.deepEqual([first, second], [value, value]);
    assert.notEqual(first, second);
    assert.notEqual(first, value);
  });

  it("is still there when it was handed on, also after a long time", async () => {
    const { port1, port2 } = new MessageChannel();
    const [copy] = carry(new Map([["a", 1n]]), 1);
    port1.postMessage(copy, [copy!]);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    const handedOn = receiveMessageOnPort(port2)!.message as MessagePort;
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(takeOut(handedOn), new Map([["a", 1n]]));
    port1.close();
  });

  it("must be something that structured clone can copy", () => {
    assert.throws(() => carry({ rule: () => true }, 3), { name: "DataCloneError" });
  });
});
