import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fixture, startServer } from "../../support/server-process.ts";

/** Debian's own, which has python3-thrift. */
const python = "/usr/bin/python3";
const present = spawnSync(python, ["-c", "import thrift"]).status === 0;
const required = process.env["SLUICE_REQUIRE_PEERS"] === "1";
const cells = 32;

test("Apache's Python library gets right answers in every protocol and transport, all at once on one port", {
  skip: !present && !required && "python3-thrift is not installed",
  timeout: 120_000,
}, async (t) => {
  const server = await startServer(t, { modules: [fixture("kinds")], args: ["--workers", "1"] });
  const script = fileURLToPath(new URL("./peer.py", import.meta.url));
  const peer = spawn(python, [script, String(server.port)], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => peer.kill("SIGKILL"));
  const [output, errors] = await Promise.all([
    text(peer.stdout),
    text(peer.stderr),
    peer.exitCode ?? once(peer, "exit"),
  ]);
  assert.equal(errors, "");
  assert.equal(output.split("\n").filter((line) => line.startsWith("passed ")).length, cells, output);
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assert.equal(last["malformed"] ?? 0, 0);
  // One call for each round of each cell is to a method that is not there.
  assert.equal(last["rejected"], cells);
  assert.equal(last["failed"], 0);
});
