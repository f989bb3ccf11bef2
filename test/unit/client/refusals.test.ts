import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../../../src/client/call-codec.ts";
import { judge, saysLeaving } from "../../../src/client/refusals.ts";

const exception = (type: number, message: string, cause?: unknown): Answer =>
  ({ kind: "application", type, message, ...(cause === undefined ? {} : { cause }) }) as Answer;

test("a refusal that says that the call was not started lets it be repeated, whatever it does", () => {
  assert.equal(
    judge(exception(6, "the server is draining; not started, call another one"), false),
    "not-started",
  );
  assert.equal(
    judge(exception(6, "overloaded: 9 calls are in flight (maxInFlight); not started"), false),
    "not-started",
  );
  assert.equal(
    judge(exception(6, "the call's deadline has passed; it was never started"), false),
    "not-started",
  );
  assert.equal(judge(exception(6, "no worker is left to run the call; not started"), false), "not-started");
  assert.equal(judge(exception(6, "in words that nobody knows"), true), "not-started", "sluice-retry: safe");
});

test("a call that was cut is of unknown outcome", () => {
  const message = "the worker that ran the call ended; unknown whether the call took effect";
  assert.equal(judge(exception(6, message), false), "unknown");
});

test("any other answer is final", () => {
  assert.equal(
    judge(exception(6, "booked, but the printer was not started"), false),
    "final",
    "a handler's words",
  );
  assert.equal(judge(exception(0, "not started: no such engine"), false), "final");
  assert.equal(judge({ kind: "result", value: "not started" }, false), "final");
  assert.equal(judge({ kind: "declared", error: new Error("not started") }, true), "final");
  assert.equal(judge(exception(6, "internal error"), false), "final");
  assert.equal(judge(exception(1, "unknown method"), true), "final", "it would be unknown elsewhere too");
  assert.equal(judge(exception(7, "arguments can't be decoded"), true), "final");
  assert.equal(judge(exception(7, "the reply can't be read: not started", new Error("x")), false), "final");
});

test("only a server that drains says that it leaves", () => {
  assert.equal(saysLeaving(exception(6, "the server is draining; not started, call another one")), true);
  assert.equal(saysLeaving(exception(6, "overloaded; not started")), false);
});
