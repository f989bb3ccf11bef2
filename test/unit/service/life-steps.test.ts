import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runSteps } from "../../../src/service/life-steps.ts";

describe("steps of an end", () => {
  const step = (what: string, run: () => unknown) => ({ service: "S", what, run });
  const never = (): Promise<void> => new Promise(() => {});

  it("run one after the other; one that fails, throws or hangs leaves the rest their turn and their share", async () => {
    const ran: string[] = [];
    const startMs = performance.now();
    const { failed, timedOut } = await runSteps(
      [
        step("a", async () => ran.push("a")),
        step("hangs", never),
        step("rejects", () => Promise.reject(new Error("no"))),
        step("throws", () => {
          throw "not even an error";
        }),
        step("b", () => ran.push("b")),
      ],
      400,
    );
    assert.ok(performance.now() - startMs < 390);
    assert.deepEqual(ran, ["a", "b"]);
    assert.equal(timedOut, true);
    assert.match(failed[0]!.message, /^did not finish within (9\d|100) ms$/);
    assert.deepEqual(failed.slice(1), [
      { service: "S", what: "rejects", message: "no" },
      { service: "S", what: "throws", message: "not even an error" },
    ]);
  });

  it("have none of them failed when there are none", async () => {
    assert.deepEqual(await runSteps([], 100), { failed: [], timedOut: false });
  });
});
