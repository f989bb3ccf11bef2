import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "thrift-sluice";
import { createClient } from "thrift-sluice/client";
import * as ServiceName from "./gen/ServiceName.js";
import { DivisionError } from "./gen/service_name_types.js";

test("ServiceName adds and divides", async () => {
  const options = { port: 0, adminPort: 0, workers: 1, logLevel: "error" } as const;
  await using server = await serve(import.meta.resolve("./service.ts"), options);
  await using client = createClient(ServiceName, { endpoints: `127.0.0.1:${server.addresses?.port}` });

  assert.equal(await client.add(1, 2), 3);
  assert.equal(await client.divide(1, 4), 0.25);
  await assert.rejects(client.divide(1, 0), DivisionError);
});
