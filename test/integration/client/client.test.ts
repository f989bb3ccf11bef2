import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Registry } from "prom-client";
import {
  ApplicationError,
  ArgumentsError,
  ClientOptionError,
  ClosedError,
  callTrace,
  createClient,
  DeadlineError,
  UnknownOutcomeError,
} from "thrift-sluice/client";
import Probe from "../../gen/Probe.js";
import types from "../../gen/probe_types.js";
import { comesTrue } from "../../support/comes-true.ts";
import { temporaryFolder } from "../../support/server-process.ts";
import { makeCertificate, noOpenssl } from "../net/certificates.ts";
import { clientOf, serveProbe } from "./client-rig.ts";
import { serveRaw } from "./raw-server.ts";

const transports = ["framed", "unframed", "header", "http"] as const;
const protocols = ["binary", "compact", "json"] as const;

/** What every way to a server must be able to do. */
async function useAll(t: TestContext, options: Parameters<typeof clientOf>[1]): Promise<void> {
  const client = clientOf(t, { timeoutMs: 5000, ...options });
  const blob = Buffer.alloc(300_000, 7);
  const [sum, text, bytes, note, context] = await Promise.all([
    client.add(40, 2),
    client.echo("grüße ☂"),
    client.blob(blob),
    client.note("n"),
    client.context(),
  ]);
  assert.deepEqual([sum, text, note], [42, "grüße ☂", undefined]);
  assert.ok(blob.equals(bytes));
  assert.ok(context["worker"] !== undefined);
  await assert.rejects(client.fail("declared"), (error) => {
    assert.ok(error instanceof types.Declared);
    assert.equal(error.message, "as declared");
    assert.equal(callTrace(error)?.attempts, 1);
    return true;
  });
  await assert.rejects(client.fail("error"), (error) => {
    assert.ok(error instanceof ApplicationError);
    assert.deepEqual([error.code, error.type], ["SLUICE_APPLICATION", 6]);
    return true;
  });
  const many = await Promise.all(Array.from({ length: 500 }, (_, i) => client.add(i, 1)));
  assert.deepEqual(
    many,
    many.map((_, i) => i + 1),
  );
  await client.close();
  assert.equal(client.stats().endpoints.length, 0);
}

test("every transport and protocol brings every answer", async (t) => {
  const port = await serveProbe(t);
  for (const transport of transports) {
    for (const protocol of protocols) {
      await useAll(t, { endpoints: `127.0.0.1:${port}`, transport, protocol });
    }
  }
});

test("over Unix domain sockets", async (t) => {
  const socket = join(temporaryFolder(t), "thrift.sock");
  await serveProbe(t, { socket });
  for (const transport of transports) await useAll(t, { endpoints: `unix:${socket}`, transport });
});

test("over TLS, to a name that the certificate has", { skip: noOpenssl }, async (t) => {
  const folder = temporaryFolder(t);
  const ca = makeCertificate(folder, "ca");
  const { certFile, keyFile } = makeCertificate(folder, "server", ca);
  const port = await serveProbe(t, { tlsCert: certFile, tlsKey: keyFile });
  for (const transport of transports) {
    await useAll(t, { endpoints: `localhost:${port}`, transport, tls: { ca: ca.cert } });
  }
  const strange = clientOf(t, { endpoints: `localhost:${port}`, tls: true, timeoutMs: 300 });
  await assert.rejects(strange.add(1, 2), (error) => {
    assert.ok(error instanceof DeadlineError);
    assert.equal(error.mayHaveRun, false);
    assert.match(String((error.cause as Error).message), /certificate|verify/);
    return true;
  });
});

test("a multiplexed server is called by the service's name", async (t) => {
  const port = await serveProbe(t);
  const endpoints = `127.0.0.1:${port}`;
  assert.equal(await clientOf(t, { endpoints, service: "Probe" }).add(1, 2), 3);
  await assert.rejects(clientOf(t, { endpoints, service: "Nobody" }).add(1, 2), ApplicationError);
});

test("a name and a function are asked for endpoints", async (t) => {
  const port = await serveProbe(t);
  assert.equal(await clientOf(t, { endpoints: { dns: "127.0.0.1", port } }).add(1, 2), 3);
  let asked = 0;
  const endpoints = async (): Promise<string[]> => {
    if (++asked === 1) throw new Error("the registry is away");
    return [`127.0.0.1:${port}`];
  };
  assert.equal(await clientOf(t, { endpoints, refreshMs: 20 }).add(1, 2), 3);
  const nowhere = clientOf(t, { endpoints: async () => [], timeoutMs: 50 });
  await assert.rejects(nowhere.add(1, 2), (error) => {
    assert.ok(error instanceof DeadlineError);
    assert.deepEqual([error.attempts, error.mayHaveRun], [0, false]);
    return true;
  });
});

test("a deadline travels along over THeader, and ends the call here in any case", async (t) => {
  const port = await serveProbe(t);
  for (const transport of transports) {
    const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport });
    const fromMs = performance.now();
    await assert.rejects(client.sleep(3000, { timeoutMs: 100 }), DeadlineError);
    assert.ok(performance.now() - fromMs < 1000);
    const { deadline } = await client.context({ timeoutMs: 1000 });
    assert.equal(Number(deadline) > 0, transport === "header", transport);
  }
});

test("an AbortSignal gives a call up, before it is sent or after", async (t) => {
  const port = await serveProbe(t);
  for (const transport of transports) {
    const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport });
    const reason = new Error("enough");
    await assert.rejects(client.add(1, 2, { signal: AbortSignal.abort(reason) }), reason);
    const early = new AbortController();
    const unsent = client.note("never", { signal: early.signal });
    early.abort(reason);
    await assert.rejects(unsent, reason);
    const late = new AbortController();
    const sent = client.sleep(500, { signal: late.signal });
    // It is written in this turn, before another client's call can be answered.
    await clientOf(t, { endpoints: `127.0.0.1:${port}` }).add(1, 2);
    late.abort(reason);
    await assert.rejects(sent, reason);
    assert.equal(client.stats().inFlight, 0);
    assert.equal(await client.add(1, 2), 3, "the client goes on");
  }
});

test("over THeader no reply waits for another, and elsewhere a call goes round one that was given up", async (t) => {
  const port = await serveProbe(t);
  const header = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport: "header", connections: 1 });
  const slow = header.sleep(400);
  assert.equal(await Promise.race([slow, header.add(1, 2)]), 3);
  const framed = clientOf(t, { endpoints: `127.0.0.1:${port}`, connections: 2 });
  const given = framed.sleep(400, { timeoutMs: 50 });
  await assert.rejects(given, DeadlineError);
  assert.equal(await Promise.race([slow, framed.add(1, 2)]), 3);
  await slow;
});

test("a path that no server has is an error at once; the endpoint stays", async (t) => {
  const port = await serveHttp(t, 404);
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport: "http", httpPath: "/nothing" });
  await assert.rejects(client.add(1, 2), (error) => {
    assert.ok(error instanceof ApplicationError);
    assert.match(error.message, /HTTP status 404: in words/);
    return true;
  });
  assert.equal(client.stats().endpoints[0]!.well, true);
});

test("HTTP status 503 lets any call be repeated, 500 only one that is idempotent", async (t) => {
  const good = await serveProbe(t);
  for (const status of [503, 500]) {
    const endpoints = [`127.0.0.1:${await serveHttp(t, status)}`, `127.0.0.1:${good}`];
    const client = clientOf(t, { endpoints, transport: "http", methods: { echo: { idempotent: true } } });
    for (let call = 0; call < 10; call++) assert.equal(await client.echo("x"), "x");
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => client.add(1, 2)));
    const failed = results.filter((result) => result.status === "rejected");
    assert.equal(failed.length > 0, status === 500, `${failed.length} of 10 failed`);
    for (const { reason } of failed) assert.ok(reason instanceof UnknownOutcomeError);
  }
});

test("info headers travel over THeader and HTTP", async (t) => {
  const port = await serveProbe(t);
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport: "header" });
  assert.equal(await client.add(1, 2, { headers: { trace: "1", client_timeout: "no" } }), 3);
});

test("arguments that don't fit the IDL fail their call only", async (t) => {
  const port = await serveProbe(t);
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}` });
  const [bad, good] = await Promise.allSettled([client.add("x" as never, 1), client.add(1, 2)]);
  assert.ok(bad.status === "rejected" && bad.reason instanceof ArgumentsError);
  assert.deepEqual(good, { status: "fulfilled", value: 3 });
});

test("too few or too many arguments, and options of a call that do not exist, are named; nothing is sent", async (t) => {
  const client = clientOf(t, { endpoints: "127.0.0.1:1" });
  const loose = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const cases: [Promise<unknown>, RegExp][] = [
    [loose["add"]!(1), /^add: it takes 2 arguments, then options; 1 were given/],
    [loose["add"]!(1, 2, {}, 4), /^add: it takes 2 arguments, then options; 4 were given/],
    [loose["echo"]!("x", { timeout: 5 }), /^echo: a call has no option "timeout"; did you mean timeoutMs\?/],
    [loose["echo"]!("x", () => {}), /^echo: its options must be an object with timeoutMs, .*got function/],
  ];
  for (const [call, message] of cases) {
    await assert.rejects(call, (error: ArgumentsError) => {
      assert.ok(error instanceof ArgumentsError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.equal(client.stats().inFlight, 0);
});

test("options that can't be are named", () => {
  const make = (options: object): unknown => createClient(Probe, { endpoints: "a:1", ...options } as never);
  assert.throws(() => make({ transport: "carrier pigeon" }), /"transport" must be one of framed/);
  assert.throws(() => make({ timeoutMs: -1 }), /"timeoutMs" must be from 1/);
  assert.throws(() => make({ methods: { nothing: {} } }), /"methods" names nothing/);
  assert.throws(() => make({ endpoints: [] }), ClientOptionError);
  assert.throws(() => createClient({} as never, { endpoints: "a:1" }), /generated module/);
  assert.throws(() => make({ timeoutms: 5 }), /"timeoutms": no such option; did you mean timeoutMs\?/);
  assert.throws(() => make({ retries: { shares: 1 } }), /"retries.shares".*did you mean share\?/);
  assert.throws(() => make({ methods: { add: { timeout: 5 } } }), /"methods.add.timeout".*timeoutMs\?/);
  assert.throws(() => make({ endpoints: undefined }), /"endpoints" is missing; give "host:port"/);
  assert.throws(
    () => make({ methods: { add: { timeoutMs: Number.NaN } } }),
    /"methods.add.timeoutMs" must be/,
  );
  assert.throws(() => make({ retries: { share: "much" } }), /"retries.share" must be from 0/);
  assert.throws(() => make({ tls: false }), /"tls" must be true or Node's options; got false/);
  assert.throws(() => make({ tls: { key: "x", cert: "y" } }), /"tls": .*PEM/);
  assert.throws(() => make({ httpPath: "/a b" }), /"httpPath" must begin with a slash/);
  assert.throws(() => make({ endpoints: { dns: "a", port: 70_000 } }), /"a:70000" is no endpoint/);
  assert.throws(() => make({ endpoints: 9090 }), /9090 is no endpoint; write "host:port"/);
  assert.throws(
    () => createClient(Probe, undefined as never),
    /the options must be an object; got undefined/,
  );
});

test("close waits for calls in flight, refuses new ones, and leaves nothing in the process", async (t) => {
  const port = await serveProbe(t);
  for (const transport of transports) {
    const before = process.getActiveResourcesInfo().length;
    const client = createClient(Probe, { endpoints: `127.0.0.1:${port}`, transport });
    const calls = [client.sleep(100), client.add(1, 2), client.note("x")];
    const closed = client.close();
    assert.equal(client.close(), closed);
    await assert.rejects(client.add(1, 2), ClosedError);
    const [, sum] = await Promise.all(calls);
    assert.equal(sum, 3);
    await closed;
    await comesTrue(() => process.getActiveResourcesInfo().length <= before, transport);
  }
});

test("close does not wait for ever", async (t) => {
  const port = await serveProbe(t);
  for (const transport of transports) {
    const client = createClient(Probe, { endpoints: `127.0.0.1:${port}`, transport });
    const call = client.sleep(2000);
    const rejected = assert.rejects(call, (error) => {
      assert.ok(error instanceof ClosedError);
      assert.deepEqual([error.mayHaveRun, error.attempts], [true, 1]);
      return true;
    });
    await client.close({ timeoutMs: 50 });
    await rejected;
    await assert.rejects(client.add(1, 2), (error) => error instanceof ClosedError && !error.mayHaveRun);
  }
});

test("the counters are metrics in a registry", async (t) => {
  const port = await serveProbe(t);
  const metrics = new Registry();
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, metrics, name: "probe" });
  const other = clientOf(t, { endpoints: `127.0.0.1:${port}`, metrics, name: "other" });
  await Promise.all([client.add(1, 2), client.add(1, 2), other.add(1, 2)]);
  await assert.rejects(client.fail("declared"));
  const text = await metrics.metrics();
  assert.match(text, /thrift_client_requests_total\{client="probe",thrift_method="add",outcome="ok"\} 2/);
  assert.match(
    text,
    /thrift_client_requests_total\{client="probe",thrift_method="fail",outcome="declared"\} 1/,
  );
  assert.match(text, /thrift_client_requests_total\{client="other",thrift_method="add",outcome="ok"\} 1/);
  assert.match(
    text,
    /thrift_client_latency_seconds_bucket\{le="\+Inf",client="probe",thrift_method="add",outcome="ok"\} 2/,
  );
  assert.match(text, /sluice_client_endpoint_well\{client="probe",endpoint="127.0.0.1:\d+"\} 1/);
});

/** A web server that has one answer to everything. */
async function serveHttp(t: TestContext, status: number): Promise<number> {
  const server = createHttpServer((_, response) => response.writeHead(status).end("in words")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as { port: number }).port;
}

test("a connection that the server has closed while it was idle is not used", async (t) => {
  const port = await serveProbe(t, { idleTimeout: 100 });
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, connections: 1 });
  for (let call = 0; call < 3; call++) {
    assert.equal(await client.add(call, 1), call + 1);
    await comesTrue(() => client.stats().endpoints[0]!.connections === 0, "the connection's end");
  }
  assert.deepEqual(client.stats().repeats, { "not-started": 0, unknown: 0 });
});

for (const how of ["reset", "end", "nonsense"] as const) {
  test(`a server that answers by ${how} leaves the outcome unknown, and the call is settled`, async (t) => {
    const port = await serveRaw(t, (socket) => {
      socket.on("data", () => {
        if (how === "reset") socket.resetAndDestroy();
        else if (how === "end") socket.end();
        else socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      });
    });
    for (const transport of ["framed", "header"] as const) {
      const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport });
      await assert.rejects(client.add(1, 2), (error) => {
        assert.ok(error instanceof UnknownOutcomeError);
        assert.deepEqual([error.endpoint, error.attempts], [`127.0.0.1:${port}`, 1]);
        return true;
      });
      await client.close();
    }
  });
}

test("a server that never answers keeps nobody beyond the deadline", async (t) => {
  const port = await serveRaw(t, () => {});
  for (const transport of transports) {
    const client = createClient(Probe, {
      endpoints: `127.0.0.1:${port}`,
      transport,
      timeoutMs: 200,
      stallMs: 50,
      methods: { add: { idempotent: true } },
    });
    const calls = Array.from({ length: 20 }, () => assert.rejects(client.add(1, 2), DeadlineError));
    await Promise.all(calls);
    await client.close();
  }
});
