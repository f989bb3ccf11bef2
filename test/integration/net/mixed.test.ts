import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:tls";
import { WebSocket } from "ws";
import { encodeCall } from "../../support/binary.ts";
import { connectRaw, RawClient } from "../../support/raw-client.ts";
import { fixture, startServer, temporaryFolder } from "../../support/server-process.ts";
import { makeCertificate, noOpenssl } from "./certificates.ts";
import { callBytes, connectRawHttp } from "./http-client.ts";

const each = 250;

test("1,000 connections of four kinds are served at once, and drained", {
  skip: noOpenssl ?? false,
}, async (t) => {
  const folder = temporaryFolder(t);
  const { certFile, keyFile, cert } = makeCertificate(folder, "server");
  const server = await startServer(t, {
    modules: [fixture("probe")],
    args: ["--tls-cert", certFile, "--tls-key", keyFile],
  });
  const { port } = server;
  const calls: (() => Promise<unknown>)[] = [];
  for (let at = 0; at < each; at++) {
    const plain = await connectRaw(t, { connect: { port } });
    calls.push(() => plain.call("echo", { 1: { string: "plain" } }));
    const http = await connectRawHttp(t, port);
    calls.push(() => {
      http.socket.write(callBytes("echo", 1, { 1: { string: "http reply" } }));
      return http.until(/http reply/);
    });
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}`);
    t.after(() => webSocket.terminate());
    await once(webSocket, "open");
    calls.push(() => {
      webSocket.send(encodeCall("echo", 1, { 1: { string: "ws" } }));
      return once(webSocket, "message");
    });
    const socket = connect({ host: "127.0.0.1", port, ca: cert, allowHalfOpen: true } as never);
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    const secure = new RawClient(socket, true);
    calls.push(() => secure.call("echo", { 1: { string: "tls" } }));
  }
  for (let round = 0; round < 3; round++) await Promise.all(calls.map((make) => make()));
  const status = (await (await fetch(`${server.adminUrl}/statusz`)).json()) as {
    connections: { byProtocol: Record<string, number> };
  };
  assert.deepEqual(status.connections.byProtocol, {
    "framed-binary": each,
    http: each,
    "websocket-unframed-binary": each,
    "tls-framed-binary": each,
  });
  server.signal();
  const { code, last } = await server.ended;
  assert.deepEqual([code, last["completed"], last["rejected"], last["orphaned"]], [0, 4 * each * 3, 0, 0]);
});
