import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { StateThread } from "../../../src/state/state-thread.ts";
import { createNotes, createRig, fixture } from "./state-rig.ts";

const refuse = (modules: string[], settings: Record<string, string> = {}) =>
  StateThread.start({
    modules,
    settings,
    onDeath: (error) => assert.fail(error),
    onLog: () => {},
  });

describe("the state thread starts", () => {
  it("opens process resources in listed order, tells which there are, and passes their logs on", async () => {
    await using rig = await createRig();
    assert.deepEqual(rig.thread.resources, { Counting: ["first", "second", "third"] });
    assert.deepEqual(rig.notes(), ["first open", "second open", "third open"]);
    assert.deepEqual(rig.logs[0], {
      level: "info",
      message: "opened",
      fields: { service: "Counting", resource: "first", by: "the test" },
    });
  });

  it("takes file URLs, and keeps no thread when no service has process resources", async () => {
    const thread = await refuse([pathToFileURL(fixture("plain.ts")).href]);
    assert.deepEqual(thread.resources, {});
    assert.equal(thread.connect(), undefined);
    assert.deepEqual(await thread.flush(100), { failed: [], timedOut: false });
    assert.deepEqual(await thread.close(100), { failed: [], timedOut: false, ended: true });
  });

  it("not when a resource does not open: names it and closes those before it", async () => {
    using notes = createNotes();
    await assert.rejects(refuse([fixture("counting.ts")], { notes: notes.file, "third.open": "throw" }), {
      code: "SLUICE_STATE_START",
      service: "Counting",
      resource: "third",
      message: /the resource "third" of the service Counting does not open: no open today/,
      cause: new Error("no open today"),
    });
    assert.deepEqual(notes.read(), ["first open", "second open", "second close", "first close"]);
  });

  it("not when a module is missing, or two services have one name", async () => {
    await assert.rejects(refuse([fixture("absent.ts")]), {
      code: "SLUICE_STATE_START",
      message: /absent\.ts: there is no such file/,
    });
    await assert.rejects(refuse([fixture("counting.ts"), fixture("counting.ts")]), {
      code: "SLUICE_STATE_START",
      message: /two service modules are named Counting/,
    });
  });

  it("not when the thread ends meanwhile", async () => {
    // Nothing keeps the thread while this resource hangs, so it ends.
    await assert.rejects(refuse([fixture("counting.ts")], { "first.open": "hang" }), {
      code: "SLUICE_STATE_START",
      message: /did not get all process resources open: .*open\(\)/,
    });
  });
});
