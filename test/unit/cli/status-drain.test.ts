import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { closedPort, openAdmin } from "./open-admin.ts";
import { runSluice } from "./run-sluice.ts";

describe("sluice status", () => {
  test("shows phase, calls, connections and workers", async (t) => {
    const { source, at } = await openAdmin(t);
    source.laneList = [
      { index: 0, state: "ready", inFlight: 2, queued: 1, restarts: 1, utilisation: 0.254 },
      { index: 1, state: "standing", inFlight: 1, queued: 0, restarts: 3 },
    ];
    source.connectionStatus = {
      open: 2,
      accepted: 5,
      closedByKind: {},
      byProtocol: { binary: 2, compact: 0 },
    };
    source.handlersRunning = 3;
    const { code, out, err } = await runSluice(["status", ...at]);
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.match(out, /^Ledger 1\.2\.3, process \d+\n/);
    assert.match(out, /^phase +serving for 1\.5 s$/m);
    assert.match(out, /^ready +yes$/m);
    assert.match(out, /^in flight +owed 0, running 3$/m);
    assert.match(out, /^connections +open 2 of 5 accepted \(binary 2\)$/m);
    assert.match(out, /^workers +1 of 2 ready$/m);
    assert.match(out, /^ {2}worker 0 +ready +in flight 2, queued 1, busy 25 %, restarted once$/m);
    assert.match(out, /^ {2}worker 1 +standing +in flight 1, queued 0, restarted 3 times$/m);
  });

  test("shows the countdown of a drain and its reason", async (t) => {
    const { source, at } = await openAdmin(t);
    source.phaseStatus = { phase: "draining", inPhaseMs: 200, deadlineInMs: 8800, reason: "SIGTERM" };
    source.readiness = { ready: false, reason: "draining" };
    const { out } = await runSluice(["status", ...at]);
    assert.match(out, /^phase +draining for 0\.2 s, at most 8\.8 s left \(SIGTERM\)$/m);
    assert.match(out, /^ready +no: draining$/m);
  });

  test("--json gives the document as it is", async (t) => {
    const { at } = await openAdmin(t);
    const { out } = await runSluice(["status", "--json", ...at]);
    assert.equal(JSON.parse(out).phase.phase, "serving");
  });

  test("a server that is not there is named, with code 1", async (t) => {
    const at = await closedPort(t);
    const { code, err } = await runSluice(["status", ...at]);
    assert.equal(code, 1);
    assert.match(
      err,
      new RegExp(`^sluice: nothing listens on 127\\.0\\.0\\.1:${at[1]}: is the server running.*\\n$`),
    );
  });

  test("--watch ends with code 0 when the server is gone", async (t) => {
    const { admin, at } = await openAdmin(t);
    let looks = 0;
    const { code, out, err } = await runSluice(["status", "--watch", "--interval", "100ms", ...at], {
      onOut: () => {
        if (++looks === 2) {
          void admin.close(0);
        }
      },
    });
    assert.equal(code, 0);
    assert.equal(out.trimEnd().split("\n").length, 2);
    assert.equal(err, "the server is gone\n");
  });

  test("--watch on a terminal rewrites in place", async (t) => {
    const { admin, at } = await openAdmin(t);
    const shown: string[] = [];
    await runSluice(["status", "--watch", "--interval", "100ms", ...at], {
      terminal: true,
      onOut: (text) => {
        if (shown.push(text) === 2) {
          void admin.close(0);
        }
      },
    });
    const lines = shown[0]!.split("\n").length - 1;
    assert.ok(shown[1]!.startsWith(`\u001b[${lines}A\u001b[J`));
  });
});

describe("sluice drain", () => {
  test("asks for a drain, follows it to the end of the admin port, and gives the report", async (t) => {
    const { source, admin, at } = await openAdmin(t);
    source.onDrain = () => {
      source.phaseStatus = { phase: "draining", inPhaseMs: 0, deadlineInMs: 9000, reason: "deploy" };
    };
    const { code, out, err } = await runSluice(["drain", "--reason", "deploy", ...at], {
      onErr: (text) => {
        if (text.startsWith("draining")) {
          source.phaseStatus = { phase: "closing", inPhaseMs: 0, deadlineInMs: 5000 };
          source.lastReport = { outcome: "clean", exitCode: 0, received: 3 };
        } else if (text.startsWith("closing")) {
          void admin.close(0);
        }
      },
    });
    assert.deepEqual(source.drains, ["POST /drain: deploy"]);
    assert.equal(code, 0);
    assert.match(
      err,
      /^127\.0\.0\.1:\d+ drains\ndraining for .*\nclosing for [\s\S]*the server has stopped\n$/,
    );
    assert.deepEqual(JSON.parse(out), { outcome: "clean", exitCode: 0, received: 3 });
  });

  test("ends with the server's exit code when the report tells that calls were cut", async (t) => {
    const { source, admin, at } = await openAdmin(t);
    source.onDrain = () => {
      source.phaseStatus = { phase: "closing", inPhaseMs: 0 };
      source.lastReport = { outcome: "cut", exitCode: 3 };
    };
    const { code } = await runSluice(["drain", ...at], {
      onErr: (text) => {
        if (text.startsWith("closing")) {
          void admin.close(0);
        }
      },
    });
    assert.equal(code, 3);
  });

  test("tells when the drain is taken back, with code 1", async (t) => {
    const { source, at } = await openAdmin(t);
    source.onDrain = () => {
      source.phaseStatus = { phase: "lame-duck", inPhaseMs: 0 };
    };
    const { code, err } = await runSluice(["drain", ...at], {
      onErr: (text) => {
        if (text.startsWith("lame-duck")) {
          source.phaseStatus = { phase: "serving", inPhaseMs: 0 };
        }
      },
    });
    assert.equal(code, 1);
    assert.match(err, /the drain was taken back; the server goes on\n$/);
  });

  test("sends the admin token, and tells when it is refused", async (t) => {
    const { source, admin, at } = await openAdmin(t, "a-good-secret");
    const refused = await runSluice(["drain", ...at]);
    assert.equal(refused.code, 1);
    assert.equal(
      refused.err,
      `sluice: 127.0.0.1:${admin.port} wants its admin token, and none was given; give it by --admin-token or SLUICE_ADMIN_TOKEN\n`,
    );
    for (const [argv, env, name] of [
      [["--admin-token", "a-bad-secret"], {}, "--admin-token"],
      [[], { SLUICE_ADMIN_TOKEN: "a-bad-secret" }, "SLUICE_ADMIN_TOKEN"],
    ] as const) {
      const wrong = await runSluice(["drain", ...argv, ...at], { env });
      assert.equal(wrong.code, 1);
      assert.equal(wrong.err, `sluice: 127.0.0.1:${admin.port} refuses the admin token that ${name} gives\n`);
    }
    source.onDrain = () => {
      source.phaseStatus = { phase: "closing", inPhaseMs: 0 };
    };
    const { code } = await runSluice(["drain", "--admin-token", "a-good-secret", ...at], {
      onErr: (text) => {
        if (text.startsWith("closing")) {
          void admin.close(0);
        }
      },
    });
    assert.equal(source.drains.length, 1);
    assert.equal(code, 0);
  });

  test("a server that is not there is named, with code 1", async (t) => {
    const { code, err } = await runSluice(["drain", ...(await closedPort(t))]);
    assert.equal(code, 1);
    assert.match(err, /^sluice: nothing listens on /);
  });
});
