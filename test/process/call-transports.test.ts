/** `sluice call` speaks to a server in every way that the server understands. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { transportNames } from "../../src/cli/call-transport.ts";
import { protocolNames } from "../../src/wire/protocol-names.ts";
import { makeCertificate, noOpenssl } from "../integration/net/certificates.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";
import { type Ran, runSluice } from "../unit/cli/run-sluice.ts";

const module = fixture("kinds");

/** One of each type, with what is easily lost. */
const kinds = {
  truth: true,
  tiny: -128,
  small: -32768,
  medium: 2147483647,
  wide: "9223372036854775807",
  real: 0.1,
  text: "grün \u{1f30a}",
  bytes: "AP+A",
  colour: 2,
  wides: ["-9223372036854775808", 9007199254740991],
  words: ["a", "b"],
  byWide: { "9007199254740993": "wide" },
  byText: { k: [{ x: 1, label: "l" }] },
  nested: { "7": { "-7": true } },
};

async function starting(t: TestContext, ...args: string[]): Promise<{ server: ServerProcess; at: string[] }> {
  const server = await startServer(t, { modules: [module], args });
  return { server, at: ["--port", String(server.port)] };
}

function call(...argv: string[]): Promise<Ran> {
  return runSluice(["call", "--timeout", "10s", ...argv]);
}

for (const transport of transportNames) {
  test(`${transport}: every type in every protocol, oneways, exceptions and unknown methods`, async (t) => {
    const { server, at } = await starting(t);
    for (const protocol of protocolNames) {
      const way = [...at, "--transport", transport, "--protocol", protocol, module];
      const echoed = await call(...way, "kinds", JSON.stringify(kinds));
      assert.deepEqual([echoed.code, echoed.err], [0, ""], protocol);
      assert.deepEqual(subset(JSON.parse(echoed.out)), kinds, protocol);
      const noted = await call(...way, "note", `${transport} ${protocol}`);
      assert.deepEqual([noted.code, noted.err], [0, "sent; a oneway method has no answer\n"]);
      const refused = await call(...way, "refuse", "declared");
      assert.equal(refused.code, 1);
      assert.match(refused.err, /^Refused \{.*\}\n$/);
    }
    server.signal();
    const { last } = await server.ended;
    assertExact(last);
    assert.equal(last["oneway"], protocolNames.length);
  });
}

/** Of the struct that came back, what was sent: the rest has defaults. */
function subset(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key in kinds));
}

test("what the compiler's code can't send is a mistake that is named", async () => {
  const { code, err } = await call(module, "kinds", '{"children":[{"text":"child"}]}');
  assert.equal(code, 2);
  assert.match(err, /^sluice: value\.children\[0\]: the Thrift compiler's code .*\n$/);
});

test("over TLS the server's certificate is checked, and a name that it lacks refused", {
  skip: noOpenssl,
}, async (t) => {
  const folder = temporaryFolder(t);
  const ca = makeCertificate(folder, "ca");
  const own = makeCertificate(folder, "server", ca);
  const { at } = await starting(t, "--tls-cert", own.certFile, "--tls-key", own.keyFile);
  const untrusted = await call(...at, "--tls", module, "nothing");
  assert.equal(untrusted.code, 3);
  assert.match(untrusted.err, /can't connect to .*certificate.*--tls-ca FILE.*--insecure\n$/);
  for (const transport of transportNames) {
    const trusted = await call(
      ...at,
      "--tls",
      "--tls-ca",
      ca.certFile,
      "--transport",
      transport,
      module,
      "nothing",
    );
    assert.deepEqual([trusted.code, trusted.out, trusted.err], [0, "null\n", ""], transport);
  }
  const insecure = await call(...at, "--tls", "--insecure", module, "nothing");
  assert.equal(insecure.code, 0, insecure.err);
  const missing = await call(...at, "--tls", "--tls-ca", join(folder, "nowhere.pem"), module, "nothing");
  assert.equal(missing.code, 2);
  assert.match(missing.err, /nowhere\.pem/);
});

test("an option of TLS is enough for a call over TLS, and without any the server's refusal is told", {
  skip: noOpenssl,
}, async (t) => {
  const folder = temporaryFolder(t);
  const ca = makeCertificate(folder, "ca");
  const own = makeCertificate(folder, "server", ca);
  const mine = makeCertificate(folder, "client", ca);
  const keys = ["--tls-cert", own.certFile, "--tls-key", own.keyFile, "--tls-ca", ca.certFile];
  const { at } = await starting(t, ...keys);
  const certificate = ["--tls-cert", mine.certFile, "--tls-key", mine.keyFile];
  for (const options of [["--tls-ca", ca.certFile], ["--insecure"]]) {
    const { code, out, err } = await call(...at, ...options, ...certificate, module, "nothing");
    assert.deepEqual([code, out, err], [0, "null\n", ""], options[0]);
  }
  for (const transport of transportNames) {
    const plain = await call(...at, "--transport", transport, module, "nothing");
    assert.equal(plain.code, 3, transport);
    assert.match(plain.err, /^sluice: .*; if this server wants TLS, call with --tls\n$/, transport);
  }
});

test("TLS that is switched off stays off, and a server's variables switch none on", async (t) => {
  const { at } = await starting(t);
  const off = await call(...at, "--tls=false", "--insecure", module, "nothing");
  assert.deepEqual([off.code, off.err], [0, ""]);
  const env = { SLUICE_TLS_CERT: "/nowhere/server.pem", SLUICE_TLS_CA: "/nowhere/ca.pem" };
  const beside = await runSluice(["call", ...at, module, "nothing"], { env });
  assert.deepEqual([beside.code, beside.err], [0, ""]);
});

test("a server that speaks no TLS, and one that is not there, are told in one line", async (t) => {
  const { server, at } = await starting(t);
  const plain = await call(...at, "--tls", "--insecure", module, "nothing");
  assert.equal(plain.code, 3);
  assert.match(plain.err, /^sluice: [^\n]+\n$/);
  server.signal();
  await server.ended;
  for (const transport of transportNames) {
    const gone = await call(...at, "--transport", transport, module, "nothing");
    assert.equal(gone.code, 3, transport);
    assert.match(gone.err, /^sluice: can't connect to .*connection refused.*\n$/, transport);
  }
});

test("HTTP and WebSocket reach a Unix domain socket too", async (t) => {
  const socket = join(temporaryFolder(t), "s");
  const { server } = await starting(t, "--socket", socket);
  for (const transport of transportNames) {
    const { code, err } = await call("--socket", socket, "--transport", transport, module, "nothing");
    assert.deepEqual([code, err], [0, ""], transport);
  }
  server.signal();
  await server.ended;
});
