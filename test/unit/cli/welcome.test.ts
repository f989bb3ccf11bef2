import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { welcome } from "../../../src/cli/welcome.ts";

const usual = { host: "127.0.0.1", port: 9090, adminHost: "127.0.0.1", adminPort: 9091 };

describe("the welcome", () => {
  test("says where to find the ledger and how to call it, in commands that work as they stand", () => {
    const text = welcome(usual, "ledger");
    assert.match(text, /listens for Thrift clients on 127\.0\.0\.1:9090/);
    assert.match(text, /sluice call ledger post '\{"id":"e1"/);
    assert.match(text, /TSocket\.TSocket\("127\.0\.0\.1", 9090\)/);
    assert.match(text, /sluice status {4}http:\/\/127\.0\.0\.1:9091\//);
  });

  test("names the ports that are not the usual ones", () => {
    const text = welcome({ ...usual, port: 7000, adminPort: 7001 }, "calc.ts");
    assert.match(text, /sluice call --port 7000 calc\.ts METHOD/);
    assert.match(text, /sluice status --admin-port 7001/);
    assert.match(text, /sluice drain --admin-port 7001/);
  });

  test("names a Unix domain socket", () => {
    const text = welcome({ ...usual, socket: "/run/s.sock" }, "ledger");
    assert.match(text, /clients on \/run\/s\.sock/);
    assert.match(text, /sluice call --socket \/run\/s\.sock ledger/);
    assert.match(text, /TSocket\.TSocket\(unix_socket="\/run\/s\.sock"\)/);
  });
});
