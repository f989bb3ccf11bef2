/** What is secret is shown nowhere: not in the log, not on the admin port, not in errors about options. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/admin.ts";
import { connectRaw } from "../support/raw-client.ts";
import { fixture, spawnServer, startServer } from "../support/server-process.ts";

const password = "s3cr3t-Passw0rd";
const token = "t0k3n-of-the-admin";

test("a store's password is not shown when the store can't be reached", async (t) => {
  for (const given of ["flag", "environment"]) {
    const store = `postgres://ledger:${password}@127.0.0.1:1/ledger`;
    const server = spawnServer(t, {
      args: [
        "--log-level",
        "debug",
        "--store-timeout",
        "300ms",
        "--start-timeout",
        "1s",
        ...(given === "flag" ? ["--store", store] : []),
      ],
      env: { SLUICE_STORE: store },
      withoutStore: given === "environment",
    });
    const { code, stdout, stderr } = await server.ended;
    assert.equal(code, 1, stdout);
    assert.match(stdout + stderr, /127\.0\.0\.1/, "what could not be reached is named");
    assert.doesNotMatch(stdout + stderr, new RegExp(password));
  }
});

test("a bad option is named without the password in it", async (t) => {
  const server = spawnServer(t, { args: ["--store", `mysql://ledger:${password}@db/ledger`] });
  const { code, stdout, stderr } = await server.ended;
  assert.equal(code, 2);
  assert.match(stderr, /--store/);
  assert.doesNotMatch(stdout + stderr, new RegExp(password));
});

test("the admin token is in no log, on no page and in no answer", async (t) => {
  const server = await startServer(t, {
    modules: [fixture("probe")],
    args: ["--log-level", "debug"],
    env: { SLUICE_ADMIN_TOKEN: token },
  });
  const client = await connectRaw(t, { connect: { port: server.port } });
  await client.call("add", { 1: { i32: 1 }, 2: { i32: 2 } });
  for (const name of ["getOptions", "getCounters", "getStatusDetails"]) await client.call(name);
  const told = [JSON.stringify(client.replies, (_, value) => String(value))];
  for (const path of ["/", "/livez", "/readyz", "/metrics", "/statusz"])
    told.push((await ask(server, path)).text);
  const refused = await fetch(`${server.adminUrl}/drain`, {
    method: "POST",
    headers: { "x-sluice-admin": "1", authorization: "Bearer wrong" },
  });
  assert.equal(refused.status, 401);
  told.push(await refused.text(), ...refused.headers.values());
  client.end();
  server.signal();
  const { stdout, stderr } = await server.ended;
  for (const text of [...told, stdout, stderr]) assert.doesNotMatch(text, new RegExp(token));
});
