import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { onAbort } from "../../../src/client/abort-signals.ts";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

test("a signal has one listener for all calls, and none when they are over", () => {
  const { signal } = new AbortController();
  const offs = Array.from({ length: 100 }, () => onAbort(signal, () => assert.fail("nobody aborted")));
  assert.equal(listeners(signal), 1);
  // In no order, and some of them twice.
  for (const at of [50, 0, 99, 50, ...offs.keys()]) offs[at]!();
  assert.equal(listeners(signal), 0);
  onAbort(signal, () => {})();
  assert.equal(listeners(signal), 0);
});

test("each call that is still there hears of it once, also where one takes another off", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const heard: string[] = [];
  const gone = onAbort(signal, () => heard.push("gone"));
  const first = onAbort(signal, () => {
    heard.push("first");
    first();
  });
  onAbort(signal, () => heard.push("second"));
  gone();
  controller.abort();
  assert.deepEqual(heard.sort(), ["first", "second"]);
});
