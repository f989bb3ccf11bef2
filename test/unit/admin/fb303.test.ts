import assert from "node:assert/strict";
import { test } from "node:test";
import { createFb303, Fb303OptionError } from "../../../src/admin/fb303.ts";
import { outcomes } from "../../../src/calls/outcome.ts";
import type { PhaseName } from "../../../src/lifecycle/phases.ts";
import type { HandlerOf } from "../../../src/service/handler-types.ts";
import { FakeSource } from "./fake-source.ts";

test("the handler has every method of the generated client, and nothing else", () => {
  const { service, handler, name } = createFb303(new FakeSource());
  const typed: HandlerOf<typeof service.Client> = handler;
  const wanted = Object.getOwnPropertyNames(service.Client.prototype).filter(
    (key) => /^[a-z]\w*$/.test(key) && !/^(send|recv)_|^(new_)?seqid$|^constructor$/.test(key),
  );
  assert.deepEqual(Object.keys(typed).sort(), wanted.sort());
  assert.equal(wanted.length, 13);
  assert.equal(name, "fb303");
});

test("each phase has its fb303 status", () => {
  const source = new FakeSource();
  const { handler } = createFb303(source);
  const statusIn = (phase: PhaseName): number => {
    source.phaseStatus = { phase, inPhaseMs: 0 };
    return handler.getStatus();
  };
  assert.equal(statusIn("starting"), 1);
  assert.equal(statusIn("serving"), 2);
  for (const phase of ["lame-duck", "draining", "flushing", "closing"] as const)
    assert.equal(statusIn(phase), 3);
  assert.equal(statusIn("stopped"), 4);
  source.readiness = { ready: false, reason: "no lane is ready" };
  assert.equal(statusIn("serving"), 5);
});

test("the details say phase, reason, what is owed and what time is left", () => {
  const source = new FakeSource();
  const { handler } = createFb303(source);
  assert.equal(handler.getStatusDetails(), "serving");
  source.readiness = { ready: false, reason: "no lane is ready" };
  assert.equal(handler.getStatusDetails(), "serving, but not ready: no lane is ready");
  source.phaseStatus = { phase: "starting", inPhaseMs: 5 };
  assert.equal(handler.getStatusDetails(), "starting");
  source.call(source.method("Ledger", "post"));
  source.phaseStatus = { phase: "draining", inPhaseMs: 5, reason: "SIGTERM", deadlineInMs: 5230 };
  assert.equal(handler.getStatusDetails(), "draining (SIGTERM), calls owed: 1, at most 5.2 s left");
});

test("the counters are those of the ledger, and add up", () => {
  const source = new FakeSource();
  const post = source.method("Ledger", "post");
  for (const outcome of outcomes) source.call(post, outcome);
  source.call(post);
  source.handlersRunning = 2;
  source.connectionStatus = {
    open: 3,
    accepted: 8,
    closedByKind: { peer: 5 },
    byProtocol: {},
  };
  const { handler } = createFb303(source);

  const counters = handler.getCounters();

  assert.equal(counters["received"], 8);
  assert.equal(
    outcomes.reduce((sum, outcome) => sum + counters[outcome]!, counters["owed"]!),
    8,
  );
  assert.equal(handler.getCounter("running"), 2);
  assert.equal(handler.getCounter("connections.open"), 3);
  assert.equal(handler.getCounter("lanes.ready"), 1);
  assert.equal(handler.getCounter("nothing"), 0);
  assert.equal(handler.getCounter("constructor"), 0);
  assert.ok(Object.values(counters).every(Number.isSafeInteger));
});

test("name, version, start in seconds and an empty profile", () => {
  const { handler } = createFb303(new FakeSource());
  assert.equal(handler.getName(), "Ledger");
  assert.equal(handler.getVersion(), "1.2.3");
  assert.equal(handler.aliveSince(), 1_700_000_000);
  assert.equal(handler.getCpuProfile(1), "");
});

test("options are kept within bounds, and none can break the reply", () => {
  const { handler } = createFb303(new FakeSource());
  handler.setOption("verbose", "1");
  handler.setOption("verbose", "2");
  assert.equal(handler.getOption("verbose"), "2");
  assert.equal(handler.getOption("other"), "");
  for (const key of ["hasOwnProperty", "__proto__", ""]) {
    assert.throws(() => handler.setOption(key, "x"), Fb303OptionError);
  }
  assert.throws(() => handler.setOption("big", "x".repeat(1024)), Fb303OptionError);
  for (let n = 1; n < 64; n++) handler.setOption(`option${n}`, "x");
  assert.throws(() => handler.setOption("one more", "x"), { code: "SLUICE_FB303_OPTION" });
  handler.setOption("verbose", "3");
  assert.equal(Object.keys(handler.getOptions()).length, 64);
  assert.equal(handler.getOptions()["verbose"], "3");
});

test("shutdown is ignored and logged once unless it is switched on", () => {
  const source = new FakeSource();
  const { handler } = createFb303(source);
  handler.shutdown();
  handler.shutdown();
  assert.deepEqual(source.drains, []);
  assert.equal(source.logged.length, 1);
  assert.match(source.logged[0]!.message, /shutdown ignored/);

  createFb303(source, { allowShutdown: true }).handler.shutdown();
  assert.deepEqual(source.drains, ["fb303 shutdown"]);
});

test("reinitialize reloads, not twice at once, and a failed reload is logged and can be tried again", async () => {
  const source = new FakeSource();
  let reloads = 0;
  let fail: (error: Error) => void = () => {};
  const logged = Promise.withResolvers<void>();
  source.log = (level, message) => {
    source.logged.push({ level, message, fields: undefined });
    if (level === "error") logged.resolve();
  };
  const reload = (): Promise<void> => {
    reloads++;
    return new Promise((_, reject) => {
      fail = reject;
    });
  };
  const { handler } = createFb303(source, { reload });
  handler.reinitialize();
  handler.reinitialize();
  assert.equal(reloads, 1);
  fail(new Error("no certificate"));
  await logged.promise;
  handler.reinitialize();
  assert.equal(reloads, 2);
});
