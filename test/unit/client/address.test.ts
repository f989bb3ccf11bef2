import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../src/client/address.ts";
import { ClientOptionError } from "../../../src/client/errors.ts";

test("endpoints are written as host and port, or as the path of a socket", () => {
  assert.deepEqual(parseAddress("ledger.example:9090"), {
    name: "ledger.example:9090",
    connect: { host: "ledger.example", port: 9090 },
    servername: "ledger.example",
  });
  assert.deepEqual(parseAddress("[::1]:9090").connect, { host: "::1", port: 9090 });
  assert.equal(parseAddress("[::1]:9090").name, "[::1]:9090");
  assert.equal(parseAddress("10.0.0.1:9090").servername, undefined, "an address is no certificate's name");
  assert.deepEqual(parseAddress("unix:/run/thrift.sock"), parseAddress("/run/thrift.sock"));
  assert.deepEqual(parseAddress({ host: "a", port: 1 }), parseAddress("a:1"));
});

for (const bad of ["", "host", "host:0", "host:99999", "host:port", "::1:9090", "unix:"]) {
  test(`${JSON.stringify(bad)} is no endpoint`, () => {
    assert.throws(() => parseAddress(bad), ClientOptionError);
  });
}
