import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Method, MethodTable } from "../../../src/calls/method-table.ts";
import { createMethod } from "./fakes.ts";

function tableOf(...names: string[]): MethodTable {
  const methods = names.map((full, index): Method => {
    const [service, name] = full.split(":") as [string, string];
    return createMethod({ index, service, name, runs: service === "fb303" ? "main" : "worker" });
  });
  return new MethodTable(methods, methods[0]!.service, "fb303");
}

/** The service and name of what a message's name leads to; the name lies inside other bytes. */
function find(table: MethodTable, name: string): string | undefined {
  const bytes = Buffer.from(`##${name}##`);
  const method = table.find(bytes, 2, bytes.length - 2);
  return method && `${method.service}:${method.name}`;
}

describe("the method table", () => {
  const table = tableOf(
    "Calc:add",
    "Calc:getName",
    "Log:write",
    "Log:add",
    "fb303:getName",
    "fb303:getStatus",
  );

  it("finds methods of every service under its multiplexed name", () => {
    for (const name of ["Calc:add", "Log:write", "Log:add", "fb303:getStatus", "fb303:getName"]) {
      assert.equal(find(table, name), name);
    }
  });

  it("finds methods of the first service, and of no other one, under plain names", () => {
    assert.equal(find(table, "add"), "Calc:add");
    assert.equal(find(table, "write"), undefined);
  });

  it("falls back to fb303 for plain names that the first service lacks, and never hides its own", () => {
    assert.equal(find(table, "getStatus"), "fb303:getStatus");
    assert.equal(find(table, "getName"), "Calc:getName");
  });

  it("finds nothing else", () => {
    for (const name of [
      "",
      "ad",
      "addd",
      "Add",
      "calc:add",
      "Calc:",
      ":add",
      "Calc:add:",
      "Calc::add",
      "Nobody:add",
    ]) {
      assert.equal(find(table, name), undefined, JSON.stringify(name));
    }
  });

  it("says whether the service or the method is unknown, and the name without its service", () => {
    assert.deepEqual(table.explain("what"), { unknown: "method", name: "what" });
    assert.deepEqual(table.explain("Calc:what"), { unknown: "method", name: "what" });
    assert.deepEqual(table.explain("Nobody:what"), { unknown: "service", name: "what" });
    assert.deepEqual(table.explain("Nobody:what:else"), { unknown: "service", name: "what:else" });
  });

  it("finds each of any set of names, and none beside", () => {
    const name = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(..."abcXYZ_09é") });
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 50 }), fc.array(name), (names, others) => {
        const any = tableOf(...names.map((each) => `S:${each}`));
        for (const each of names) {
          assert.equal(find(any, each), `S:${each}`);
          assert.equal(find(any, `S:${each}`), `S:${each}`);
        }
        for (const other of others) if (!names.includes(other)) assert.equal(find(any, other), undefined);
      }),
    );
  });
});
