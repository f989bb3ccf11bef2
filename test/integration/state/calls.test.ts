import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxOutstandingCalls } from "../../../src/state/state-client.ts";
import { createRig } from "./state-rig.ts";

describe("a call to a process resource", () => {
  it("gives the method's result, also of a method that takes its time", async () => {
    await using rig = await createRig();
    const { add, later, values } = rig.proxy("second");
    assert.deepEqual(await Promise.all([add?.(7), later?.(8), add?.(9)]), [1, 3, 2]);
    assert.deepEqual(await values?.(), [7, 9, 8]);
  });

  it("arrives in call order, over turns and waits", async () => {
    await using rig = await createRig();
    const first = rig.proxy("first");
    const calls: unknown[] = [];
    for (let i = 0; i < 3_000; i++) {
      calls.push(first["add"]?.(i));
      if (i % 7 === 0) await null;
      if (i % 501 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(calls);
    assert.deepEqual(
      await first["values"]?.(),
      Array.from({ length: 3_000 }, (_, i) => i),
    );
  });

  it("rejects with what the method threw: name, message, code, fields and cause", async () => {
    await using rig = await createRig();
    const first = rig.proxy("first");
    await assert.rejects(first["fail"]?.() as Promise<unknown>, (error: Error & Record<string, unknown>) => {
      assert.ok(error instanceof Error);
      assert.deepEqual(
        [error.name, error.message, error["code"], error["limit"]],
        ["RangeError", "too far", "E_FAR", 10n],
      );
      assert.equal("bad" in error, false);
      assert.match(error.stack ?? "", /counting\.ts/);
      assert.equal((error.cause as Error).message, "why");
      return true;
    });
    await assert.rejects(first["nothing"]?.() as Promise<unknown>, (error) => error === null);
  });

  it("of an unknown, hidden or life-cycle method rejects and says which there are", async () => {
    await using rig = await createRig();
    const first = rig.proxy("first");
    for (const method of [
      "nope",
      "_hidden",
      "flush",
      "close",
      "constructor",
      "toString",
      "calls",
      "__proto__",
    ]) {
      await assert.rejects(first[method]?.() as Promise<unknown>, {
        code: "SLUICE_STATE_METHOD",
        message: new RegExp(
          `"first" of the service Counting has no method "${method}"; it has: add, block, die, fail`,
        ),
      });
    }
  });

  it("is not made by awaiting the proxy", async () => {
    await using rig = await createRig();
    const first = rig.proxy("first");
    assert.equal(await first, first);
  });

  it("that can't be copied rejects alone, in both directions", async () => {
    await using rig = await createRig();
    const { add, log, uncopyable } = rig.proxy("first");
    const [one, two, three, four] = await Promise.allSettled([
      add?.(1),
      log?.(() => {}),
      uncopyable?.(),
      add?.(2),
    ]);
    assert.deepEqual(
      [one, four],
      [
        { status: "fulfilled", value: 1 },
        { status: "fulfilled", value: 2 },
      ],
    );
    for (const refused of [two, three]) {
      assert.equal(refused?.status === "rejected" && refused.reason.code, "SLUICE_STATE_COPY");
    }
  });

  it("carries a view of a larger buffer without the buffer", async () => {
    await using rig = await createRig();
    const { log } = rig.proxy("first");
    const large = Buffer.alloc(1_000_000, 7);
    const back = (await log?.(large.subarray(10, 13))) as Uint8Array;
    assert.deepEqual([...back], [7, 7, 7]);
    assert.equal(back.buffer.byteLength, 3);
  });

  it("is refused while too many wait, and served again when they don't", async () => {
    await using rig = await createRig();
    const { add } = rig.proxy("first");
    const calls = Array.from({ length: maxOutstandingCalls }, (_, i) => add?.(i));
    await assert.rejects(add?.(0) as Promise<unknown>, { code: "SLUICE_STATE_OVERLOADED" });
    await Promise.all(calls);
    assert.equal(await add?.(0), maxOutstandingCalls + 1);
  });

  it("rejects after the close, on old channels and new", async () => {
    await using rig = await createRig();
    const { add } = rig.proxy("first");
    await add?.(1);
    assert.equal((await rig.thread.close(2_000)).ended, true);
    const late = rig.proxy("first");
    await assert.rejects(add?.(2) as Promise<unknown>, { code: "SLUICE_STATE_GONE" });
    await assert.rejects(late["add"]?.(2) as Promise<unknown>, { code: "SLUICE_STATE_GONE" });
  });
});
