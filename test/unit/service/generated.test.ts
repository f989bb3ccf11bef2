import assert from "node:assert/strict";
import { describe, it } from "node:test";
import FacebookService from "../../../gen/FacebookService.js";
import Ledger from "../../../gen/Ledger.js";
import { methodsOf } from "../../../src/service/generated.ts";
import Probe from "../../gen/Probe.js";

describe("what generated code tells of a service", () => {
  it("are all methods, sorted", () => {
    assert.deepEqual(
      methodsOf(Ledger).map(({ name }) => name),
      ["audit", "balance", "counters", "entries", "ping", "post", "postAll", "track"],
    );
  });

  it("is which are oneway", () => {
    const oneways = (service: Parameters<typeof methodsOf>[0]): string[] =>
      methodsOf(service).flatMap(({ name, oneway }) => (oneway ? [name] : []));
    assert.deepEqual(oneways(Ledger), ["track"]);
    assert.deepEqual(oneways(FacebookService), ["reinitialize", "shutdown"]);
  });

  it("is which give no result", () => {
    const empty = methodsOf(Ledger).flatMap(({ name, oneway, returnsNothing }) =>
      returnsNothing === true && !oneway ? [name] : [],
    );
    assert.deepEqual(empty, ["ping"]);
    assert.ok(methodsOf(Probe).every(({ returnsNothing }) => returnsNothing !== undefined));
  });

  it("includes inherited methods", () => {
    class Client extends (FacebookService.Client as unknown as new () => object) {
      recv_extra(): void {}
    }
    class Processor extends (FacebookService.Processor as unknown as new () => object) {
      process_extra(): void {}
    }
    const names = methodsOf({ Client, Processor } as never).map(({ name }) => name);
    assert.ok(names.includes("extra") && names.includes("getStatus"), names.join());
  });
});
