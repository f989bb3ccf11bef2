import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { carry } from "../../../src/pool/carried-value.ts";
import type { FromWorker, LaneStart } from "../../../src/pool/control-messages.ts";
import { PublishedValues } from "../../../src/worker/published-values.ts";

function createValues(published: LaneStart["published"] = []): {
  values: PublishedValues;
  posted: FromWorker[];
} {
  const posted: FromWorker[] = [];
  const start = { version: 7, published, copies: 2 } as unknown as LaneStart;
  const values = new PublishedValues(start, (message, copies) => {
    posted.push(message);
    for (const copy of copies) copy.close();
  });
  return { values, posted };
}

describe("published values in a worker", () => {
  it("are there from the start in a replacement", () => {
    const { values } = createValues([{ version: 6, service: 1, value: "news" }]);
    assert.equal(values.last(1), "news");
    assert.equal(values.last(0), undefined);
    assert.equal(values.version, 7);
  });

  it("reach all listeners of their service and no other", () => {
    const { values } = createValues();
    const heard: string[] = [];
    values.listen(0, (value) => heard.push(`a ${value}`));
    values.listen(0, (value) => heard.push(`b ${value}`));
    values.listen(1, (value) => heard.push(`c ${value}`));
    values.apply({ kind: "published", version: 8, service: 0, copy: carry("x", 1)[0]! });
    assert.deepEqual(heard, ["a x", "b x"]);
    assert.deepEqual([values.last(0), values.version], ["x", 8]);
  });

  it("are published when the main thread says so, each publishing by itself", async () => {
    const { values, posted } = createValues();
    const done: number[] = [];
    const all = [0, 1].map((at) => values.publish(at, `v${at}`).then(() => done.push(at)));
    const ids = posted.map((message) => (message as { id: number }).id);
    assert.equal(new Set(ids).size, 2);
    values.done(ids[1]!);
    await all[1];
    assert.deepEqual(done, [1]);
    values.done(ids[0]!);
    await Promise.all(all);
  });
});
