import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CallBrokenError, currentCall, NoCurrentCallError } from "../../../src/service/current-call.ts";
import types from "../../gen/probe_types.js";
import { MessageType } from "../../support/binary.ts";
import { type Replied, RunnerRig } from "./runner-rig.ts";

const twoAndThree = { 1: { i32: 2 }, 2: { i32: 3 } };

/** What a reply says, in one line. */
function told({ result, message }: Replied): string {
  if (message === undefined) return `${result}: nothing`;
  const { type, name, seqid, body } = message;
  assert.deepEqual([name, seqid], [name, 77]);
  if (type === MessageType.EXCEPTION) return `${result}: exception ${body[2]}: ${body[1]}`;
  return `${result}: ${Object.entries(body).map(([id, value]) => `${id}=${Buffer.isBuffer(value) ? value : JSON.stringify(value)}`)}`;
}

describe("a handler's method", () => {
  const sums: Record<string, (...args: number[]) => unknown> = {
    "with two parameters": (a, b) => a! + b!,
    "with the rest in one": (...args) => args[0]! + args[1]!,
    "with defaults": (a = 0, b = 0) => a + b,
    "with fewer parameters": function (a) {
      // biome-ignore lint/complexity/noArguments: what this is about
      return a! + (arguments[1] as number);
    },
    "with more parameters": ((a: number, b: number, c?: unknown, d?: unknown) =>
      (c ?? d) ? -1 : a + b) as never,
    "that is asynchronous": async (a, b) => {
      await sleep(1);
      return a! + b!;
    },
    "that gives a thenable of its own": (a, b) => ({
      // biome-ignore lint/suspicious/noThenProperty: what this is about
      then: (done: (sum: number) => void) => {
        done(a! + b!);
        done(-1);
      },
    }),
  };
  for (const [what, add] of Object.entries(sums)) {
    it(`${what} is called right and answered once`, async () => {
      const rig = new RunnerRig({ add });
      assert.equal(told(await rig.call("add", twoAndThree)), "completed: 0=5");
      await sleep(2);
      assert.equal(rig.replies.length, 1);
    });
  }

  it("keeps its `this`", async () => {
    class Counter {
      count = 40;
      add(a: number): number {
        this.count += a;
        return this.count;
      }
    }
    const counter = new Counter();
    const rig = new RunnerRig({ add: counter.add.bind(counter) });
    assert.equal(told(await rig.call("add", twoAndThree)), "completed: 0=42");
  });
});

describe("a handler that fails", () => {
  const ways: Record<string, [how: () => unknown, told: string]> = {
    "by throwing what the IDL declares": [
      () => {
        throw new types.Declared({ message: "as declared" });
      },
      'completed: 1={"1":{"type":"Buffer","data":[97,115,32,100,101,99,108,97,114,101,100]}}',
    ],
    "by rejecting with what the IDL declares": [
      () => Promise.reject(new types.Declared({ message: "as declared" })),
      'completed: 1={"1":{"type":"Buffer","data":[97,115,32,100,101,99,108,97,114,101,100]}}',
    ],
    "by throwing an error": [
      () => {
        throw new Error("inner text");
      },
      "failed: exception 6: internal error",
    ],
    "by rejecting": [() => Promise.reject(new Error("inner text")), "failed: exception 6: internal error"],
    "by throwing null": [
      () => {
        throw null;
      },
      "failed: exception 6: internal error",
    ],
    "by rejecting with nothing": [() => Promise.reject(), "failed: exception 6: internal error"],
    "by throwing text": [
      () => {
        throw "inner text";
      },
      "failed: exception 6: internal error",
    ],
    "by throwing what can't be shown": [
      () => {
        throw Object.create(null);
      },
      "failed: exception 6: internal error",
    ],
    "by returning nothing": [() => undefined, "failed: exception 6: internal error"],
    "by resolving with nothing": [async () => {}, "failed: exception 6: internal error"],
    "by returning null": [() => null, "failed: exception 6: internal error"],
    "by returning the wrong type": [() => 17, "failed: exception 6: internal error"],
    "by returning what throws when it is looked at": [
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what this is about
        get then() {
          throw new Error("inner text");
        },
      }),
      "failed: exception 6: internal error",
    ],
  };
  for (const [what, [fail, expected]] of Object.entries(ways)) {
    it(`${what} gives one well-formed reply`, async () => {
      const rig = new RunnerRig({ fail, add: () => 1 });
      assert.equal(told(await rig.call("fail", { 1: { string: "x" } })), expected);
      assert.equal(
        told(await rig.call("add", twoAndThree)),
        "completed: 0=1",
        "the next call is not touched",
      );
      assert.equal(rig.replies.length, 2);
    });
  }

  it("shows its text to callers only when that is switched on, and to the log always", async () => {
    const fail = (): never => {
      throw new Error("inner text");
    };
    const rig = new RunnerRig({ fail }, { exposeErrors: true });
    assert.equal(told(await rig.call("fail")), "failed: exception 6: inner text");
    const hiding = new RunnerRig({ fail });
    await hiding.call("fail");
    assert.equal(hiding.logged[0]!.fields!["error"], "inner text");
    assert.equal(hiding.logged[0]!.fields!["method"], "Probe.fail");
  });

  it("may give anything where the IDL says void", async () => {
    const rig = new RunnerRig({ nativeBlock: () => ({ anything: 1 }) });
    assert.equal(told(await rig.call("nativeBlock", { 1: { i32: 1 } })), "completed: ");
  });

  it("may break off where it allowed to", async () => {
    const rig = new RunnerRig(
      { breakable: () => currentCall().allowBreak() },
      { link: { isWaitedFor: () => true } },
    );
    assert.match(
      told(await rig.call("breakable", { 1: { i32: 1 } })),
      /^broken: exception 6: the server stops/,
    );
    assert.ok(new CallBrokenError().code);
  });
});

describe("a oneway", () => {
  it("is done when its handler is", async () => {
    const gate = Promise.withResolvers<void>();
    const rig = new RunnerRig({ slowNote: () => gate.promise });
    rig.start("slowNote", { 1: { string: "x" }, 2: { i32: 1 } });
    await sleep(1);
    assert.equal(rig.replies.length, 0);
    gate.resolve();
    await gate.promise;
    assert.deepEqual(rig.replies, [{ slot: 0, result: "completed", oneway: true, message: undefined }]);
  });

  it("counts as failed when its handler throws or rejects, and nobody is told", async () => {
    const rig = new RunnerRig({
      note: () => {
        throw new Error("x");
      },
      slowNote: () => Promise.reject(new types.Declared({ message: "x" })),
    });
    assert.equal(told(await rig.call("note", { 1: { string: "x" } })), "failed: nothing");
    assert.equal(told(await rig.call("slowNote", { 1: { string: "x" } })), "failed: nothing");
    assert.equal(rig.logged.length, 2);
  });
});

describe("arguments that can't be decoded", () => {
  it("are refused with PROTOCOL_ERROR before the handler, and the next call is not touched", async () => {
    let ran = 0;
    const rig = new RunnerRig({ echo: (text: string) => `${text}${++ran}`, note: () => ++ran });
    for (const body of [
      [11, 0, 1, 0, 0, 0, 9, 97],
      [11, 0],
      [],
      [11, 0, 1, 0xff, 0xff, 0xff, 0xff],
      [99, 0, 1, 0],
    ]) {
      rig.startBytes("echo", Buffer.from(body));
      assert.match(
        told(rig.replies.at(-1)!),
        /^rejected: exception 7: the arguments of echo can't be decoded/,
      );
    }
    rig.startBytes("note", Buffer.from([11, 0]));
    assert.equal(told(rig.replies.at(-1)!), "rejected: nothing");
    assert.equal(ran, 0);
    assert.equal(told(await rig.call("echo", { 1: { string: "x" } })), "completed: 0=x1");
  });

  it("may lack what the handler can do without, and have fields that nobody knows", async () => {
    const rig = new RunnerRig({ echo: (text: unknown) => String(text) });
    assert.equal(told(await rig.call("echo", { 9: { i32: 1 } })), "completed: 0=null");
  });
});

describe("currentCall()", () => {
  const seen = (): string => {
    const { service, method, seqid, peer } = currentCall();
    return `${service}.${method} ${seqid} ${peer}`;
  };

  it("tells of the call in synchronous and in asynchronous code, each its own", async () => {
    const rig = new RunnerRig({
      echo: async () => {
        const before = seen();
        await sleep(2);
        assert.equal(seen(), before);
        return before;
      },
      peer: seen,
    });
    const slots = [rig.start("echo"), rig.start("peer"), rig.start("echo"), rig.start("peer")];
    while (rig.replies.length < 4) await sleep(1);
    for (const [slot, method] of slots.map((slot, at) => [slot, at % 2 ? "peer" : "echo"] as const)) {
      const reply = rig.replies.find((each) => each.slot === slot)!;
      assert.equal(told(reply), `completed: 0=Probe.${method} 77 127.0.0.1:${slot}`);
    }
  });

  it("is an error outside of a call", async () => {
    assert.throws(currentCall, NoCurrentCallError);
    const rig = new RunnerRig({ add: () => 1 });
    await rig.call("add", twoAndThree);
    assert.throws(currentCall, NoCurrentCallError);
  });

  it("never tells of another call", async () => {
    let left: unknown = "nothing yet";
    const rig = new RunnerRig({
      add: () => {
        setTimeout(() => {
          try {
            left = currentCall().method;
          } catch (error) {
            left = error;
          }
        }, 3);
        return 1;
      },
      echo: async () => {
        await sleep(10);
        return "";
      },
    });
    rig.start("add", twoAndThree);
    await rig.call("echo");
    assert.notEqual(left, "echo");
  });
});
