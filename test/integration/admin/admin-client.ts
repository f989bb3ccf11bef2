/** Talks to an admin port: whole requests, and raw bytes. */
import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import {
  type AdminServer,
  type AdminServerOptions,
  createAdminServer,
} from "../../../src/admin/admin-server.ts";
import { FakeSource } from "../../unit/admin/fake-source.ts";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Opens an admin port on loopback that is closed when the test ends. */
export async function openAdmin(
  t: TestContext,
  options: Partial<AdminServerOptions> = {},
): Promise<{ source: FakeSource; admin: AdminServer }> {
  const source = new FakeSource();
  const admin = await createAdminServer(source, { host: "127.0.0.1", port: 0, ...options });
  t.after(() => admin.close(0));
  return { source, admin };
}

/** One request over a connection of its own. */
export function ask(
  admin: AdminServer,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = admin;
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("error", reject)
        .on("end", () => {
          const { statusCode: status = 0, headers: received } = incoming;
          resolve({ status, headers: received, body: Buffer.concat(chunks).toString() });
        });
    });
    outgoing.on("error", reject).end(body);
  });
}

/** A raw connection, destroyed when the test ends. */
export async function dial(t: TestContext, admin: AdminServer): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: admin.port });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** All that a raw connection receives until it is closed. */
export function received(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.once("close", () => resolve(text));
  });
}
