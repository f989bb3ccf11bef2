import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { connectRaw } from "../../support/raw-client.ts";
import {
  fixture,
  type ServerProcess,
  spawnServer,
  startServer,
  temporaryFolder,
} from "../../support/server-process.ts";
import { call } from "./http-client.ts";

function start(t: TestContext, path: string, args: string[] = []): Promise<ServerProcess> {
  return startServer(t, { modules: [fixture("probe")], args: ["--socket", path, ...args] });
}

describe("a Unix domain socket", () => {
  test("serves Thrift and HTTP, has mode 0660, and its file is gone when the server is", async (t) => {
    const path = join(temporaryFolder(t), "sluice.sock");
    const server = await start(t, path);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    const client = await connectRaw(t, { connect: { path } });
    assert.equal(String((await client.call("peer")).body[0]), "unix");
    assert.equal(String((await call({ socketPath: path }, "peer")).body[0]), "unix");
    server.signal();
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["completed"]], [0, 2]);
    assert.equal(existsSync(path), false);
  });

  test("has the mode that is asked for", async (t) => {
    const path = join(temporaryFolder(t), "sluice.sock");
    await start(t, path, ["--socket-mode", "600"]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("that a dead server left behind is taken over", async (t) => {
    const path = join(temporaryFolder(t), "sluice.sock");
    const first = await start(t, path);
    first.child.kill("SIGKILL");
    await first.ended;
    assert.equal(existsSync(path), true);
    await start(t, path);
    const client = await connectRaw(t, { connect: { path } });
    await client.call("peer");
  });

  test("of a living server is left to it", async (t) => {
    const path = join(temporaryFolder(t), "sluice.sock");
    await start(t, path);
    const second = spawnServer(t, { modules: [fixture("probe")], args: ["--socket", path] });
    const { code, stderr } = await second.ended;
    assert.equal(code, 1);
    assert.match(stderr, /can't listen on .*: it is in use by another process/);
    const client = connect(path);
    // The server is killed, perhaps before it accepts this.
    client.on("error", () => {});
    t.after(() => client.destroy());
    await once(client, "connect");
  });

  test("never takes the place of another file", async (t) => {
    const path = join(temporaryFolder(t), "notes.txt");
    writeFileSync(path, "precious");
    const server = spawnServer(t, { modules: [fixture("probe")], args: ["--socket", path] });
    const { code, stderr } = await server.ended;
    assert.equal(code, 1);
    assert.match(stderr, /something else than a socket is there/);
    assert.equal(existsSync(path), true);
  });
});
