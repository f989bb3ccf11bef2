import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import thrift from "thrift";
import { WebSocket } from "ws";
import Probe from "../../gen/Probe.js";
import { decodeMessage, encodeCall, frame } from "../../support/binary.ts";
import { connectRaw, RawClient } from "../../support/raw-client.ts";
import {
  fixture,
  type ServerProcess,
  spawnServer,
  startServer,
  temporaryFolder,
} from "../../support/server-process.ts";
import { type Certificate, makeCertificate, noOpenssl } from "./certificates.ts";

const skip: string | false = noOpenssl ?? false;

interface Tls {
  readonly folder: string;
  readonly ca: Certificate;
  readonly server: Certificate;
  readonly flags: string[];
}

function makeTls(t: TestContext): Tls {
  const folder = temporaryFolder(t);
  const ca = makeCertificate(folder, "authority");
  const server = makeCertificate(folder, "server", ca);
  return { folder, ca, server, flags: ["--tls-cert", server.certFile, "--tls-key", server.keyFile] };
}

function start(t: TestContext, args: string[], module = "probe"): Promise<ServerProcess> {
  return startServer(t, { modules: [fixture(module)], args });
}

async function connectTls(t: TestContext, port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, ...options } as ConnectionOptions);
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  // The server may end before the test does.
  socket.on("error", () => {});
  return socket;
}

async function client(t: TestContext, port: number, options: ConnectionOptions): Promise<RawClient> {
  return new RawClient(await connectTls(t, port, options), true);
}

/** How a connection that should not come to be ended. */
async function failure(socket: TLSSocket): Promise<string> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("close", () => resolve("closed"));
  });
}

async function connections(
  server: ServerProcess,
): Promise<{ open: number; byProtocol: Record<string, number> }> {
  const status = (await (await fetch(`${server.adminUrl}/statusz`)).json()) as {
    connections: { open: number; byProtocol: Record<string, number> };
  };
  return status.connections;
}

describe("TLS on the Thrift port", { skip }, () => {
  test("Thrift, HTTP and WebSocket are spoken inside of it, beside plain Thrift, and counted by kind", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, tls.flags);
    const { port } = server;
    const trust = { ca: tls.ca.cert };
    const plain = await connectRaw(t, { connect: { port } });
    assert.equal(String((await plain.call("echo", { 1: { string: "plain" } })).body[0]), "plain");
    const secure = await client(t, port, trust);
    assert.equal(String((await secure.call("echo", { 1: { string: "secure" } })).body[0]), "secure");

    const agent = new Agent({ keepAlive: true, ...trust });
    t.after(() => agent.destroy());
    const sent = request({ host: "127.0.0.1", port, method: "POST", agent });
    sent.end(encodeCall("echo", 1, { 1: { string: "https" } }));
    const [response] = await once(sent, "response");
    assert.match(Buffer.concat(await response.toArray()).toString("latin1"), /https/);

    const socket = new WebSocket(`wss://127.0.0.1:${port}`, trust);
    t.after(() => socket.terminate());
    await once(socket, "open");
    socket.send(encodeCall("echo", 1, { 1: { string: "wss" } }));
    const [data] = await once(socket, "message");
    assert.equal(String(decodeMessage(data as Buffer)!.body[0]), "wss");

    assert.deepEqual((await connections(server)).byProtocol, {
      "framed-binary": 1,
      "tls-framed-binary": 1,
      "tls-http": 1,
      "tls-websocket-unframed-binary": 1,
    });
  });

  test("a ClientHello that comes byte by byte is understood", async (t) => {
    const tls = makeTls(t);
    const { port } = await start(t, tls.flags);
    const raw = connectPlain({ host: "127.0.0.1", port, noDelay: true });
    await once(raw, "connect");
    const write = raw.write.bind(raw);
    // Each byte is a segment of its own, as long as the handshake lasts.
    const { Duplex } = await import("node:stream");
    const dribble = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const bytes = [...chunk];
        const next = (): void => {
          const byte = bytes.shift();
          if (byte === undefined) done();
          else write(Buffer.from([byte]), () => setImmediate(next));
        };
        next();
      },
    });
    raw.on("data", (chunk) => dribble.push(chunk));
    t.after(() => raw.destroy());
    const socket = connect({ socket: dribble, ca: tls.ca.cert, host: "127.0.0.1" });
    await once(socket, "secureConnect");
    const found = new RawClient(socket as never, true);
    assert.equal(String((await found.call("echo", { 1: { string: "slow" } })).body[0]), "slow");
  });

  test("under mutual TLS a client needs a certificate, and handlers see whose it is", async (t) => {
    const tls = makeTls(t);
    const { port } = await start(
      t,
      [...tls.flags, "--tls-ca", tls.ca.certFile, "--plaintext", "allow"],
      "caller",
    );
    const { cert, key } = makeCertificate(tls.folder, "billing", tls.ca);
    const known = await client(t, port, { ca: tls.ca.cert, cert, key });
    const { body } = await known.call("peer");
    const { subject, issuer, subjectAltName } = JSON.parse(String(body[0]));
    assert.equal(subject, "CN=billing,O=Sluice\\, tests");
    assert.equal(issuer, "CN=authority,O=Sluice\\, tests");
    assert.match(subjectAltName, /DNS:localhost/);
    // It is no header, under whatever name.
    const header = await known.call("echo", { 1: { string: "sluice-peer-certificate" } });
    assert.equal(String(header.body[0]), "");

    const other = makeCertificate(tls.folder, "other-authority");
    const stranger = makeCertificate(tls.folder, "stranger", other);
    for (const identity of [{}, { cert: stranger.cert, key: stranger.key }]) {
      const socket = connect({ host: "127.0.0.1", port, ca: tls.ca.cert, ...identity });
      t.after(() => socket.destroy());
      assert.match(await failure(socket), /CERTIFICATE_REQUIRED|UNKNOWN_CA|ECONNRESET|closed/);
    }
    const plain = await connectRaw(t, { connect: { port } });
    assert.equal(String((await plain.call("peer")).body[0]), "null");
  });

  test("plaintext is refused where it is set so", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--plaintext", "refuse"]);
    const plain = await connectRaw(t, { connect: { port: server.port } });
    await assert.rejects(plain.call("echo", { 1: { string: "x" } }), /FIN/);
    // Mutual TLS that could be left out would protect nothing.
    const mutual = await start(t, [...tls.flags, "--tls-ca", tls.ca.certFile]);
    const around = await connectRaw(t, { connect: { port: mutual.port } });
    await assert.rejects(around.call("echo", { 1: { string: "x" } }), /FIN/);
    const secure = await client(t, server.port, { ca: tls.ca.cert });
    await secure.call("echo", { 1: { string: "x" } });
    const line = await server.line(({ kind }) => kind === "plaintext");
    assert.match(String(line["peer"]), /^127\.0\.0\.1:\d+$/);
  });

  test("a ClientHello without a certificate of ours is ended, and the log says why", async (t) => {
    const server = await start(t, []);
    const socket = connect({ host: "127.0.0.1", port: server.port });
    t.after(() => socket.destroy());
    await failure(socket);
    assert.match(
      String((await server.line(({ kind }) => kind === "tls-not-configured"))["error"]),
      /tlsCert/,
    );
  });

  test("older versions than the oldest allowed are refused", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--tls-min-version", "TLSv1.3"]);
    const socket = connect({ host: "127.0.0.1", port: server.port, ca: tls.ca.cert, maxVersion: "TLSv1.2" });
    t.after(() => socket.destroy());
    assert.match(await failure(socket), /PROTOCOL_VERSION/);
    await server.line(({ kind }) => kind === "tls-handshake");
    await client(t, server.port, { ca: tls.ca.cert });
  });

  test("a handshake that does not go on is closed", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--tls-handshake-timeout", "100ms"]);
    const raw = await connectRaw(t, { connect: { port: server.port } });
    raw.write(Buffer.from([0x16, 3, 1, 0, 200, 1]));
    await raw.ended;
    assert.equal((await connections(server)).open, 0);
  });

  test("a client that gives up in its handshake leaves at once, with FIN as well as with an alert", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--tls-handshake-timeout", "60s"]);
    const raw = await connectRaw(t, { connect: { port: server.port } });
    raw.write(Buffer.from([0x16, 3, 1, 0, 200, 1]));
    while ((await connections(server)).byProtocol["tls-handshake"] !== 1);
    raw.end();
    await raw.ended;
    // Node's client finds the certificate wanting when its own half of the handshake is through.
    const trusting = connect({ host: "127.0.0.1", port: server.port, maxVersion: "TLSv1.2" });
    t.after(() => trusting.destroy());
    assert.match(await failure(trusting), /UNABLE_TO_VERIFY/);
    while ((await connections(server)).open > 0);
  });

  test("a client that is done with sending gets its answer", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, tls.flags);
    const found = await client(t, server.port, { ca: tls.ca.cert });
    found.write(frame(encodeCall("sleep", 1, { 1: { i32: 100 } })));
    found.end();
    await found.reply(1);
    assert.equal(await found.ended, "fin");
  });

  test("connections through TLS count against the limit, and leave it again", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--max-connections", "2"]);
    for (let round = 0; round < 5; round++) {
      const sockets = [
        await client(t, server.port, { ca: tls.ca.cert }),
        await client(t, server.port, { ca: tls.ca.cert }),
      ];
      for (const found of sockets) await found.call("echo", { 1: { string: "x" } });
      for (const { socket } of sockets) socket.end();
      await Promise.all(sockets.map(({ socket }) => once(socket, "close")));
      while ((await connections(server)).open > 0);
    }
  });

  test("npm thrift's TLS client is served", async (t) => {
    const tls = makeTls(t);
    const { port } = await start(t, tls.flags);
    const connection = thrift.createSSLConnection("127.0.0.1", port, {
      transport: thrift.TFramedTransport,
      protocol: thrift.TBinaryProtocol,
      ca: tls.ca.cert,
    } as never);
    t.after(() => connection.end());
    const found = thrift.createClient(Probe, connection as never) as unknown as {
      add(a: number, b: number): Promise<number>;
    };
    assert.equal(await found.add(2, 3), 5);
  });
});

describe("the files of TLS", { skip }, () => {
  test("SIGHUP takes new ones for new handshakes, and no connection is lost", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--hup", "reload"]);
    const trust = { ca: tls.ca.cert };
    const before = await client(t, server.port, trust);
    const renewed = makeCertificate(tls.folder, "renewed", tls.ca);
    copyFileSync(renewed.certFile, tls.server.certFile);
    copyFileSync(renewed.keyFile, tls.server.keyFile);
    server.signal("SIGHUP");
    await server.line("reloaded");
    const after = await connectTls(t, server.port, trust);
    assert.equal(after.getPeerCertificate().subject.CN, "renewed");
    assert.equal(String((await before.call("echo", { 1: { string: "still" } })).body[0]), "still");
  });

  test("broken new ones are logged, and the old ones stay", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--hup", "reload"]);
    const key = readFileSync(tls.server.keyFile, "utf8");
    writeFileSync(tls.server.certFile, "no certificate");
    server.signal("SIGHUP");
    const line = await server.line(({ level, msg }) => level === "error" && /TLS/.test(String(msg)));
    assert.ok(!JSON.stringify(server.lines).includes(key.split("\n")[1]!));
    assert.ok(
      String(line["error"]).startsWith(`${tls.server.certFile} holds no usable certificate`),
      `${line["error"]}`,
    );
    assert.equal((await server.line("reloaded"))["failures"], 1);
    const after = await connectTls(t, server.port, { ca: tls.ca.cert });
    assert.equal(after.getPeerCertificate().subject.CN, "server");
  });

  test("missing, foreign and unusable ones are bad options", async (t) => {
    const { folder, ca, server } = makeTls(t);
    const nothing = join(folder, "nothing.pem");
    const cases: [string[], RegExp][] = [
      [["--tls-cert", server.certFile], /^sluice: --tls-cert: give --tls-key too/],
      [["--tls-key", server.keyFile], /^sluice: --tls-key: give --tls-cert too/],
      [["--tls-ca", ca.certFile], /^sluice: --tls-ca: give --tls-cert and --tls-key too/],
      [["--plaintext", "refuse"], /^sluice: --plaintext: refuse is not allowed without/],
      [
        ["--tls-cert", nothing, "--tls-key", server.keyFile],
        /^sluice: --tls-cert: can't read .*: there is no such file/,
      ],
      [
        ["--tls-cert", server.certFile, "--tls-key", ca.keyFile],
        /^sluice: --tls-key: .* no usable key of that certificate/,
      ],
      [
        ["--tls-cert", server.keyFile, "--tls-key", server.keyFile],
        /^sluice: --tls-cert: .* no usable certificate/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await spawnServer(t, { modules: [fixture("probe")], args }).ended;
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });
});

describe("a drain and TLS", { skip }, () => {
  test("calls in flight are answered, idle connections closed, and a handshake is let through", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, tls.flags);
    const trust = { ca: tls.ca.cert };
    const busy = await client(t, server.port, trust);
    const idle = await client(t, server.port, trust);
    await idle.call("echo", { 1: { string: "x" } });
    const seqid = busy.send("sleep", { 1: { i32: 400 } });
    // Accepted before the drain, shaking hands in it.
    const late = connectPlain({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
    t.after(() => late.destroy());
    await once(late, "connect");
    while ((await connections(server)).open < 3);
    server.signal();
    await server.line("draining");
    const lateTls = new RawClient(connect({ socket: late, ...trust, host: "127.0.0.1" }), true);
    const reply = await lateTls.call("echo", { 1: { string: "late" } });
    assert.equal(String(reply.body[0]), "late");
    assert.equal((await busy.reply(seqid)).seqid, seqid);
    assert.deepEqual(await Promise.all([busy.ended, idle.ended]), ["fin", "fin"]);
    assert.equal((await server.ended).last["outcome"], "clean");
  });

  test("a handshake that hangs delays it until busyClose and no longer", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, [...tls.flags, "--busy-close", "300ms"]);
    const raw = await connectRaw(t, { connect: { port: server.port } });
    raw.write(Buffer.from([0x16, 3, 1, 0, 200, 1]));
    while ((await connections(server)).byProtocol["tls-handshake"] !== 1);
    server.signal();
    const { last } = await server.ended;
    assert.equal(last["outcome"], "clean");
    assert.ok((last["drainMs"] as number) < 1000);
  });

  test("a pipeline of frames inside one record is answered whole", async (t) => {
    const tls = makeTls(t);
    const server = await start(t, tls.flags);
    const found = await client(t, server.port, { ca: tls.ca.cert });
    const calls = Array.from({ length: 50 }, (_, index) =>
      frame(encodeCall("echo", index + 1, { 1: { string: "x" } })),
    );
    found.write(Buffer.concat(calls));
    await found.reply(50);
    server.signal();
    assert.equal((await server.ended).last["completed"], 50);
    assert.equal(found.replies.length, 50);
  });
});
