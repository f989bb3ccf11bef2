/** Clients of different protocols at the same time on one port: each gets its own protocol back. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import thrift from "thrift";
import Probe from "../../gen/Probe.js";
import { assertExact } from "../../support/report.ts";
import { fixture, startServer } from "../../support/server-process.ts";

const protocols = {
  binary: thrift.TBinaryProtocol,
  compact: thrift.TCompactProtocol,
  json: thrift.TJSONProtocol,
};
const transports = { framed: thrift.TFramedTransport, unframed: thrift.TBufferedTransport };
/** What the first byte of a reply's message is. */
const firstBytes: Readonly<Record<keyof typeof protocols, number>> = {
  binary: 0x80,
  compact: 0x82,
  json: 0x5b,
};

type Way = readonly [protocol: keyof typeof protocols, transport: keyof typeof transports];

const ways: readonly Way[] = (["binary", "compact", "json"] as const).flatMap((protocol) =>
  (["framed", "unframed"] as const).map((transport): Way => [protocol, transport]),
);
const clientsPerWay = 4;
const callsPerClient = 25;

interface Connected {
  readonly way: Way;
  readonly client: InstanceType<typeof Probe.Client>;
  /** The first byte of each message in what was received, of those that begin a chunk. */
  readonly firstBytes: Set<number>;
}

async function open(t: TestContext, port: number, way: Way): Promise<Connected> {
  const [protocol, transport] = way;
  const options = { protocol: protocols[protocol], transport: transports[transport] };
  const connection = thrift.createConnection("127.0.0.1", port, options);
  t.after(() => connection.destroy());
  const seen = new Set<number>();
  // Not typed, and before the library's own listener, so that nothing of a reply is missed.
  const { connection: socket } = connection as unknown as { connection: import("node:net").Socket };
  socket.prependListener("data", (chunk: Buffer) => seen.add(chunk[transport === "framed" ? 4 : 0]!));
  await once(connection, "connect");
  return { way, client: thrift.createClient(Probe, connection), firstBytes: seen };
}

test("clients of six kinds call at the same time on one port, and each gets its own protocol back", async (t) => {
  const server = await startServer(t, { modules: [fixture("probe")] });
  const connected = await Promise.all(
    Array.from({ length: clientsPerWay }, () => ways)
      .flat()
      .map((way) => open(t, server.port, way)),
  );
  for (let round = 0; round < callsPerClient; round++) {
    // One call of each connection, all in the air together, answered by any worker in any order.
    const answers = await Promise.all(
      connected.map(({ client }, at) => client.echo(`round ${round}, client ${at}, ü`)),
    );
    assert.deepEqual(
      answers,
      connected.map((_, at) => `round ${round}, client ${at}, ü`),
    );
  }
  for (const { way, firstBytes: seen } of connected) {
    assert.deepEqual([...seen], [firstBytes[way[0]]], way.join(" "));
  }
  const { connections } = (await (await fetch(`${server.adminUrl}/statusz`)).json()) as {
    connections: { byProtocol: Record<string, number> };
  };
  const expected = ways.map(([protocol, transport]) => [`${transport}-${protocol}`, clientsPerWay]);
  assert.deepEqual(connections.byProtocol, Object.fromEntries(expected));
  server.signal();
  const { code, last } = await server.ended;
  assert.equal(code, 0);
  assertExact(last);
  assert.equal(last["completed"], ways.length * clientsPerWay * callsPerClient);
});
