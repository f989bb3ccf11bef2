/** What a caller sees of one drain: nothing. No method here is idempotent, so nothing is left to repeats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, createClient } from "thrift-sluice/client";
import Probe from "../gen/Probe.js";
import { comesTrue } from "../support/comes-true.ts";
import { assertExact } from "../support/report.ts";
import { fixture, type ServerProcess, startServer } from "../support/server-process.ts";

const modules = [fixture("probe")];

/** Callers that never pause, until they are told to. */
function load(client: Client<typeof Probe>): { readonly made: number; stop(): Promise<unknown> } {
  let made = 0;
  let going = true;
  const callers = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (going) {
        const number = made++;
        assert.equal(await client.add(number, 1), number + 1);
      }
    }),
  );
  return {
    get made() {
      return made;
    },
    stop: () => {
      going = false;
      return callers;
    },
  };
}

const endpointOf = ({ port }: ServerProcess): string => `127.0.0.1:${port}`;

for (const transport of ["header", "http"] as const) {
  test(`calls in flight at a drain are answered, and later ones go elsewhere, over ${transport}`, async (t) => {
    const servers = await Promise.all([startServer(t, { modules }), startServer(t, { modules })]);
    const client = createClient(Probe, { endpoints: servers.map(endpointOf), transport });
    t.after(() => client.close({ timeoutMs: 1 }));
    const callers = load(client);
    const slow = Array.from({ length: 8 }, () => client.sleep(500));
    await comesTrue(() => callers.made > 50, "calls before the drain");
    servers[0].signal();
    const { code, last } = await servers[0].ended;
    const before = callers.made;
    await comesTrue(() => callers.made > before + 50, "calls after the drain");
    await callers.stop();
    await Promise.all(slow);
    assert.equal(code, 0);
    assertExact(last);
    assert.equal(client.stats().repeats.unknown, 0);
  });
}

test("a server in lame duck gets no calls as soon as it says so, and some again after an undrain", async (t) => {
  const servers = await Promise.all([
    startServer(t, { modules, args: ["--lame-duck", "3s"] }),
    startServer(t, { modules }),
  ]);
  const client = createClient(Probe, { endpoints: servers.map(endpointOf), transport: "header" });
  t.after(() => client.close({ timeoutMs: 1 }));
  const callers = load(client);
  const well = (): boolean =>
    client.stats().endpoints.find(({ endpoint }) => endpoint === endpointOf(servers[0]))!.well;
  await comesTrue(() => callers.made > 50, "calls");
  const ask = (path: string): Promise<Response> =>
    fetch(`${servers[0].adminUrl}${path}`, {
      method: "POST",
      headers: { "x-sluice-admin": "1", connection: "close" },
    });
  assert.equal((await ask("/drain")).ok, true);
  await comesTrue(() => !well(), "it has said that it leaves");
  assert.equal((await ask("/undrain")).ok, true);
  await comesTrue(well, "it has answered a probe");
  await callers.stop();
  assert.deepEqual(client.stats().repeats, { "not-started": 0, unknown: 0 });
});
