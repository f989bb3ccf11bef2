import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type HupMode,
  SIGNAL_NUMBERS,
  SignalLadder,
  type SignalLadderOptions,
  signalsToHandle,
} from "../../../src/lifecycle/signals.ts";

function climb(signals: string, options: Partial<SignalLadderOptions> = {}): string {
  const ladder = new SignalLadder({ platform: "linux", controllingTerminal: false, ...options });
  return signals
    .split(" ")
    .map((signal) => ladder.next(signal).kind)
    .join(" ");
}

describe("the signal ladder", () => {
  test("the first drains, the second hastens, the third and all later ones force", () => {
    assert.equal(climb("SIGTERM SIGTERM SIGTERM SIGTERM"), "drain hasten force force");
  });

  test("any mix of signals climbs the same ladder", () => {
    assert.equal(climb("SIGINT SIGQUIT SIGTERM"), "drain hasten force");
    assert.equal(climb("SIGQUIT SIGTERM SIGINT"), "drain hasten force");
  });

  test("maxSignals says which one forces", () => {
    assert.equal(climb("SIGINT SIGINT", { maxSignals: 1 }), "force force");
    assert.equal(climb("SIGINT SIGINT SIGINT", { maxSignals: 2 }), "drain force force");
    assert.equal(
      climb("SIGINT SIGINT SIGINT SIGINT SIGINT", { maxSignals: 4 }),
      "drain hasten hasten force force",
    );
  });

  test("the Ctrl-C that npm sends on is none of its own, and a later one is", () => {
    const ladder = new SignalLadder({ platform: "linux", controllingTerminal: false, echoMs: 100 });
    const kinds = [0, 99, 150].map((atMs) => ladder.next("SIGINT", atMs).kind);
    assert.deepEqual([...kinds, ladder.count], ["drain", "ignore", "hasten", 2]);
    assert.equal(ladder.next("SIGTERM", 151).kind, "force");
  });

  test("the forcing signal is named, for the exit code", () => {
    const ladder = new SignalLadder({ platform: "linux", controllingTerminal: false, maxSignals: 2 });
    ladder.next("SIGTERM");
    assert.deepEqual(ladder.next("SIGINT"), { kind: "force", signal: "SIGINT" });
  });

  test("SIGUSR1 and unknown signals are ignored, say so, and count nothing", () => {
    const ladder = new SignalLadder({ platform: "linux", controllingTerminal: false });
    for (const signal of ["SIGUSR1", "SIGWINCH", "SIGBREAK", "toString"]) {
      assert.deepEqual(ladder.next(signal), {
        kind: "ignore",
        why: `${signal} is not handled by the server`,
      });
    }
    assert.equal(ladder.count, 0);
    assert.equal(ladder.next("SIGTERM").kind, "drain");
  });
});

describe("SIGHUP", () => {
  const rows: [HupMode | undefined, boolean, string][] = [
    [undefined, false, "reload"],
    [undefined, true, "drain"],
    ["auto", false, "reload"],
    ["auto", true, "drain"],
    ["reload", true, "reload"],
    ["drain", false, "drain"],
    ["ignore", true, "ignore"],
  ];
  for (const [hup, controllingTerminal, expected] of rows) {
    const terminal = controllingTerminal ? "with a controlling terminal" : "without a terminal";
    test(`hup ${hup ?? "left out"} ${terminal}: ${expected}`, () => {
      assert.equal(climb("SIGHUP", { controllingTerminal, ...(hup && { hup }) }), expected);
    });
  }

  test("as reload it climbs nothing, in between neither", () => {
    assert.equal(
      climb("SIGHUP SIGTERM SIGHUP SIGTERM SIGHUP SIGTERM"),
      "reload drain reload hasten reload force",
    );
  });

  test("as drain it climbs like the others", () => {
    assert.equal(climb("SIGHUP SIGTERM SIGHUP", { hup: "drain" }), "drain hasten force");
  });

  test("ignored it climbs nothing", () => {
    assert.equal(climb("SIGHUP SIGTERM", { hup: "ignore" }), "ignore drain");
  });
});

describe("on Windows", () => {
  const platform = "win32";

  test("SIGINT, SIGBREAK, SIGTERM and console-close climb the ladder", () => {
    assert.equal(climb("SIGINT SIGBREAK SIGHUP", { platform }), "drain hasten force");
    assert.equal(climb("SIGTERM SIGHUP SIGBREAK", { platform }), "drain hasten force");
  });

  test("SIGHUP is console-close and drains whatever hup says", () => {
    for (const hup of ["auto", "reload", "drain", "ignore"] as const) {
      assert.equal(climb("SIGHUP", { platform, hup }), "drain");
    }
  });

  test("SIGQUIT does not exist", () => {
    assert.equal(climb("SIGQUIT", { platform }), "ignore");
  });
});

describe("signals to handle", () => {
  test("each platform has its own, never SIGUSR1, each with a number", () => {
    assert.deepEqual(signalsToHandle("linux"), ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"]);
    assert.deepEqual(signalsToHandle("darwin"), signalsToHandle("linux"));
    assert.deepEqual(signalsToHandle("win32"), ["SIGINT", "SIGBREAK", "SIGHUP", "SIGTERM"]);
    assert.deepEqual(SIGNAL_NUMBERS, { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15, SIGBREAK: 21 });
  });
});
