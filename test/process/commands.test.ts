import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { untilStatus } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { connectRaw } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { type Ended, fixture, spawnSluice, startServer, temporaryFolder } from "../support/server-process.ts";

test("sluice call talks to a running ledger and tells its answers apart by exit code", async (t) => {
  const server = await startServer(t);
  const call = (...argv: string[]): Promise<Ended> =>
    spawnSluice(t, ["call", "--port", `${server.port}`, ...argv]).ended;
  const entry = { id: "e1", debit: "cash", credit: "rent", amount: 1200, memo: "März" };

  const posted = await call("ledger", "post", JSON.stringify(entry));
  assert.deepEqual(
    [posted.code, posted.stderr, JSON.parse(posted.stdout)],
    [0, "", { seq: 1, duplicate: false }],
  );
  const [again, balance, entries, refused, oneway, unknown, mistaken] = await Promise.all([
    call("ledger", "post", JSON.stringify(entry)),
    call("ledger", "balance", "rent"),
    call("ledger", "entries", "cash", "0", "10"),
    call("ledger", "post", JSON.stringify({ ...entry, id: "e2", amount: 0 })),
    call("ledger", "track", "seen", "3"),
    call("ledger", "pots"),
    call("ledger", "post", "{"),
  ]);
  assert.deepEqual([again.code, JSON.parse(again.stdout)], [0, { seq: 1, duplicate: true }]);
  assert.deepEqual([balance.code, balance.stdout], [0, "1200\n"]);
  assert.deepEqual([entries.code, JSON.parse(entries.stdout)], [0, [entry]]);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /^InvalidEntry \{.*"id":"e2"/);
  assert.deepEqual([oneway.code, oneway.stderr], [0, "sent; a oneway method has no answer\n"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no method pots; did you mean post\?/);
  assert.equal(mistaken.code, 2);

  const stranger = await call(fixture("probe"), "add", "1", "2");
  assert.equal(stranger.code, 3);
  assert.match(stranger.stderr, /^TApplicationException UNKNOWN_METHOD: unknown method add/);
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
  assert.equal(last["oneway"], 1);

  const gone = await call("ledger", "ping");
  assert.equal(gone.code, 3, gone.stderr);
  assert.match(gone.stderr, /^sluice: [^\n]+\n$/);
});

test("sluice call tells answers apart when generated code has a thrift package of its own", async (t) => {
  const folder = temporaryFolder(t);
  const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(packages)) {
    if (name !== "thrift") symlinkSync(join(packages, name), join(folder, "node_modules", name));
  }
  cpSync(join(packages, "thrift"), join(folder, "node_modules", "thrift"), { recursive: true });
  cpSync(fileURLToPath(new URL("../gen", import.meta.url)), join(folder, "gen"), { recursive: true });
  const module = join(folder, "service.mjs");
  writeFileSync(
    module,
    `import { defineService } from "thrift-sluice";
import Probe from "./gen/Probe.js";
export default defineService({ name: "Probe", service: Probe, handler: () => ({}) });
`,
  );
  const server = await startServer(t, { modules: [fixture("probe")] });
  const call = (...argv: string[]): Promise<Ended> =>
    spawnSluice(t, ["call", "--port", `${server.port}`, module, ...argv]).ended;
  const [failed, declared, sum] = await Promise.all([
    call("fail", "error"),
    call("fail", "declared"),
    call("add", "1", "2"),
  ]);
  assert.deepEqual(
    [failed.code, failed.stderr],
    [3, "TApplicationException INTERNAL_ERROR: internal error\n"],
  );
  assert.deepEqual([declared.code, sum.code, sum.stdout], [1, 0, "3\n"]);
});

test("sluice status shows a running ledger, and says when there is none", async (t) => {
  const server = await startServer(t);
  const admin = ["--admin-port", `${server.adminPort}`];
  const [text, json] = await Promise.all([
    spawnSluice(t, ["status", ...admin]).ended,
    spawnSluice(t, ["status", "--json", ...admin]).ended,
  ]);
  assert.deepEqual([text.code, text.stderr], [0, ""]);
  assert.match(text.stdout, new RegExp(`^Ledger .*process ${server.pid}\n`));
  assert.match(text.stdout, /phase +serving for/);
  assert.match(text.stdout, /workers +2 of 2 ready/);
  assert.equal(JSON.parse(json.stdout).calls.received, 0);
  server.signal();
  await server.ended;
  const gone = await spawnSluice(t, ["status", ...admin]).ended;
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^sluice: [^\n]+\n$/);
});

test("sluice drain stops a running ledger and follows it to its end", async (t) => {
  const server = await startServer(t, { modules: ["ledger", fixture("probe")] });
  const client = await connectRaw(t, { connect: { port: server.port } });
  const gate = join(temporaryFolder(t), "gate");
  const waiting = client.send("Probe:waitFor", { 1: { string: gate } });
  await untilStatus(server, ({ calls }) => calls.running === 1);
  const admin = ["--admin-port", `${server.adminPort}`];
  const drain = spawnSluice(t, ["drain", ...admin, "--reason", "deploy 7"]);
  await drain.told(/draining for .*owed 1, running 1/);
  writeFileSync(gate, "");
  assert.equal((await client.reply(waiting)).type, MessageType.REPLY);
  const { code, last, lines } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
  assert.equal(last["reason"], "POST /drain: deploy 7");
  assert.ok(lines.some(({ msg, reason }) => msg === "draining" && reason === "POST /drain: deploy 7"));
  const followed = await drain.ended;
  assert.equal(followed.code, 0, followed.stderr);
  assert.match(followed.stderr, /^127\.0\.0\.1:\d+ drains\n/);
  assert.match(followed.stderr, /the server has stopped\n$/);
  // The report is that of the log's last line; only the time that closing the admin port takes is not in it yet.
  const report = JSON.parse(followed.stdout);
  for (const key of ["outcome", "reason", "received", "completed", "exitCode"])
    assert.equal(report[key], last[key], key);
  assert.deepEqual(report.waitedFor, last["waitedFor"]);
  assert.equal(report.waitedFor[0].method, "Probe.waitFor");
});
