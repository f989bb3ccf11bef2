/**
 * Real clients of every library on one default port. `cells.json` is the record of what passed, from which
 * docs/clients.md is made; `SLUICE_RECORD_CELLS=1` writes it anew.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noOpenssl } from "../integration/net/certificates.ts";
import { assertExact } from "../support/report.ts";
import { libraries, nameOf, offeredBy } from "./cells.ts";
import { assertPresent, skipped } from "./peers.ts";
import { readRecord, runCells, startServers, writeRecord } from "./run-cells.ts";

for (const library of libraries) {
  const { id, label } = library;
  const cells = offeredBy(library).map(nameOf);

  test(`${label} gets right answers in ${cells.length} ways to call`, {
    skip: skipped(id) || (noOpenssl ?? false),
    timeout: 240_000,
  }, async (t) => {
    assertPresent(id);
    const servers = await startServers(t);
    const outcomes = await runCells(library, servers);
    const failures = [...outcomes].flatMap(([cell, problems]) =>
      problems.map((problem) => `${cell}: ${problem}`),
    );
    assert.deepEqual(failures, []);
    if (process.env["SLUICE_RECORD_CELLS"] === "1") writeRecord(id, cells);
    assert.deepEqual(readRecord()[id], cells, "the record is current; SLUICE_RECORD_CELLS=1 writes it");

    for (const server of [servers.tcp, servers.unix]) {
      server.signal();
      const { code, last } = await server.ended;
      assert.equal(code, 0);
      assertExact(last);
      assert.equal(last["malformed"] ?? 0, 0, "nothing was sent that is no Thrift");
      assert.equal(last["orphaned"], 0);
    }
  });
}

test("the record names no cell that is not run", () => {
  assert.deepEqual(
    Object.keys(readRecord()),
    libraries.map(({ id }) => id),
  );
});
