/** Clients that connect while the server is told to stop. */
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { script, scriptedServer, textOf } from "./scripted.ts";

export interface StormResult {
  /** Clients whose `connect` had returned when the signal was sent. */
  readonly clients: number;
  /** How many of them got the answer to their call. */
  readonly answered: number;
}

/**
 * Has `count` clients connect, sends SIGTERM in the moment in which the last of them is connected, and then makes a
 * call on each.
 */
export async function connectStorm(t: TestContext, count: number): Promise<StormResult> {
  const server = await scriptedServer(t, ["--quiet=300ms"]);
  const clients: RawClient[] = [];
  const all = Promise.withResolvers<void>();
  for (let at = 0; at < count; at++) {
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    t.after(() => socket.destroy());
    socket.on("connect", () => {
      clients.push(new RawClient(socket, true));
      if (clients.length === count) {
        server.signal();
        all.resolve();
      }
    });
    socket.on("error", (error) => all.reject(error));
  }
  await all.promise;
  const answers = clients.map(async (client, at) => {
    void client.ended.then(() => client.end());
    const reply = await client.call("echo", script(`call${at}`)).catch(() => undefined);
    return reply !== undefined && textOf(reply) === `call${at}`;
  });
  const answered = (await Promise.all(answers)).filter(Boolean).length;
  await server.ended;
  return { clients: count, answered };
}
