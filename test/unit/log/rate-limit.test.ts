import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "../../../src/log/log.ts";
import { limitRate } from "../../../src/log/rate-limit.ts";

test("of each kind so many lines per interval are written, and the next one says how many were left out", () => {
  let nowMs = 0;
  const lines: [string, LogFields][] = [];
  const write = limitRate((_, message, fields) => lines.push([message, fields]), {
    burst: 2,
    intervalMs: 1000,
    now: () => nowMs,
  });
  for (let count = 0; count < 5; count++) write("warn", "refused", { kind: "tls", peer: `p${count}` });
  write("warn", "refused", { kind: "http2" });
  write("warn", "other", { kind: "tls" });
  assert.deepEqual(lines, [
    ["refused", { kind: "tls", peer: "p0" }],
    ["refused", { kind: "tls", peer: "p1" }],
    ["refused", { kind: "http2" }],
    ["other", { kind: "tls" }],
  ]);
  nowMs = 999;
  write("warn", "refused", { kind: "tls", peer: "p5" });
  nowMs = 1000;
  write("warn", "refused", { kind: "tls", peer: "p6" });
  nowMs = 2000;
  write("warn", "refused", { kind: "tls", peer: "p7" });
  assert.deepEqual(lines.slice(4), [
    ["refused", { kind: "tls", peer: "p6", left_out: 4 }],
    ["refused", { kind: "tls", peer: "p7" }],
  ]);
});
