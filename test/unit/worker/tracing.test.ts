import assert from "node:assert/strict";
import { test } from "node:test";
import { createCallTracer } from "../../../src/worker/tracing.ts";

test("without an SDK there is no tracer, and OpenTelemetry is not loaded", async () => {
  assert.equal(await createCallTracer(), undefined);
  // The API leaves a mark when it is loaded and used; a require of it would be in the cache.
  const { Module } = await import("node:module");
  const cache = (Module as unknown as { _cache: Record<string, unknown> })._cache;
  assert.deepEqual(
    Object.keys(cache).filter((path) => path.includes("opentelemetry")),
    [],
  );
});
