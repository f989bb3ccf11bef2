/** Serves fixtures in this process, quietly and on free ports. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { ServeOptions } from "../../../src/config/serve-options.ts";
import { serve } from "../../../src/server/serve.ts";
import type { Server } from "../../../src/server/server.ts";

/** The path of a fixture of this folder. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));
}

/** The path of a fixture that all tests share. */
export function sharedFixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}.ts`, import.meta.url));
}

/** What every server of these tests has. */
export const quiet: ServeOptions = {
  port: 0,
  adminPort: 0,
  workers: 2,
  quiet: 20,
  logLevel: "error",
  logFormat: "json",
};

/** Serves; drained at the end of the test if it was not before. */
export async function serveFor(
  t: TestContext,
  modules: string | readonly string[],
  options: ServeOptions = {},
): Promise<Server> {
  const server = await serve(modules, { ...quiet, ...options });
  t.after(async () => {
    await server.drain("the test is over").catch(() => {});
    await server.stopped;
  });
  return server;
}

/** A journal that fixtures write into. */
export function createJournal(t: TestContext): { readonly path: string; readonly lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "sluice-serve-"));
  const path = join(folder, "journal");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return {
    path,
    get lines() {
      try {
        return readFileSync(path, "utf8").split("\n").slice(0, -1);
      } catch {
        return [];
      }
    },
  };
}
