/** A server in this process, and clients of it, for all that needs no process of its own. */
import type { TestContext } from "node:test";
import { type Client, createClient } from "thrift-sluice/client";
import type { ServeOptions } from "../../../src/config/serve-options.ts";
import Probe from "../../gen/Probe.js";
import { serveFor, sharedFixture } from "../serve/serve-rig.ts";

export type ProbeClient = Client<typeof Probe>;
export type ProbeOptions = Parameters<typeof createClient<typeof Probe>>[1];

/** Serves the Probe service, until the end of the test. Returns its port; 0 with a Unix domain socket. */
export async function serveProbe(t: TestContext, options: ServeOptions = {}): Promise<number> {
  const { addresses } = await serveFor(t, sharedFixture("probe"), options);
  return addresses!.port;
}

/** A client that is closed at the end of the test. */
export function clientOf(t: TestContext, options: ProbeOptions): ProbeClient {
  const client = createClient(Probe, options);
  t.after(() => client.close({ timeoutMs: 1 }));
  return client;
}
