/** An admin port over facts that a test sets. */
import type { TestContext } from "node:test";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { FakeSource } from "../admin/fake-source.ts";

/** What listens, and the flags that lead there. */
export interface OpenAdmin {
  readonly source: FakeSource;
  readonly admin: AdminServer;
  readonly at: string[];
}

/** Opens it on a free port until the test ends. */
export async function openAdmin(t: TestContext, token?: string): Promise<OpenAdmin> {
  const source = new FakeSource();
  const admin = await createAdminServer(source, {
    host: "127.0.0.1",
    port: 0,
    ...(token === undefined ? {} : { token }),
  });
  t.after(() => admin.close(0));
  return { source, admin, at: ["--admin-port", String(admin.port)] };
}

/** A place where nothing listens. */
export async function closedPort(t: TestContext): Promise<string[]> {
  const { admin, at } = await openAdmin(t);
  await admin.close(0);
  return at;
}
