import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { welcome } from "../../../src/cli/welcome.ts";

const usual = { host: "127.0.0.1", port: 9090, adminHost: "127.0.0.1", adminPort: 9091 };
const open = { adminToken: undefined, plaintext: "allow", tls: undefined } as const;
const files = { cert: "cert.pem", key: "key.pem", ca: undefined, minVersion: "TLSv1.2" } as const;

describe("the welcome", () => {
  test("says where to find the ledger and how to call it, in commands that work as they stand", () => {
    const text = welcome(usual, "ledger", open);
    assert.match(text, /listens for Thrift clients on 127\.0\.0\.1:9090/);
    assert.match(text, /sluice call ledger post '\{"id":"e1"/);
    assert.match(text, /TSocket\.TSocket\("127\.0\.0\.1", 9090\)/);
    assert.match(text, /sluice status {4}http:\/\/127\.0\.0\.1:9091\//);
  });

  test("names the ports that are not the usual ones", () => {
    const text = welcome({ ...usual, port: 7000, adminPort: 7001 }, "calc.ts", open);
    assert.match(text, /sluice call --port 7000 calc\.ts METHOD/);
    assert.match(text, /sluice status --admin-port 7001/);
    assert.match(text, /sluice drain --admin-port 7001/);
  });

  test("names a Unix domain socket", () => {
    const text = welcome({ ...usual, socket: "/run/s.sock" }, "ledger", open);
    assert.match(text, /clients on \/run\/s\.sock/);
    assert.match(text, /sluice call --socket \/run\/s\.sock ledger/);
    assert.match(text, /TSocket\.TSocket\(unix_socket="\/run\/s\.sock"\)/);
  });

  test("a server that listens everywhere is reached through loopback", () => {
    const text = welcome({ ...usual, host: "0.0.0.0", adminHost: "::" }, "ledger", {
      ...open,
      adminToken: "a-good-secret",
    });
    assert.match(text, /listens for Thrift clients on 0\.0\.0\.0:9090/);
    assert.match(text, /sluice call ledger post/);
    assert.match(text, /TSocket\.TSocket\("127\.0\.0\.1", 9090\)/);
    assert.match(text, /sluice status --admin-host ::1 {4}http:\/\/\[::1\]:9091\//);
    assert.match(
      welcome({ ...usual, host: "::" }, "ledger", open),
      /clients on \[::\]:9090[\s\S]*call --host ::1 /,
    );
  });

  test("where a token is needed, the commands have a place for it, and the token is not shown", () => {
    const text = welcome(usual, "ledger", { ...open, adminToken: "a-good-secret" });
    assert.match(text, /sluice drain --admin-token TOKEN\n/);
    assert.match(text, /sluice status {4}http/, "to look needs none");
    assert.doesNotMatch(text, /a-good-secret/);
  });

  test("beyond loopback and without a token no drain can be asked for", () => {
    for (const adminHost of ["0.0.0.0", "192.0.2.1"])
      assert.match(
        welcome({ ...usual, adminHost }, "ledger", open),
        new RegExp(`stop it +Ctrl-C or kill ${process.pid}\n`),
      );
  });

  test("where plaintext is refused, calls go over TLS", () => {
    const tls = { ...open, plaintext: "refuse", tls: files } as const;
    const own = welcome(usual, "ledger", tls);
    assert.match(own, /sluice call --tls --insecure ledger post/);
    assert.match(own, /TSSLSocket\.TSSLSocket\("127\.0\.0\.1", 9090, cert_reqs=ssl\.CERT_NONE\)/);
    assert.match(
      welcome({ ...usual, host: "192.0.2.1" }, "ledger", tls),
      /call --host 192\.0\.2\.1 --tls ledger/,
    );
    const mutual = welcome(usual, "ledger", { ...tls, tls: { ...files, ca: "ca.pem" } });
    assert.match(mutual, /sluice call --tls --insecure --tls-cert FILE --tls-key FILE ledger post/);
    assert.match(mutual, /cert_reqs=ssl\.CERT_NONE, certfile="FILE", keyfile="FILE"\)/);
    const both = welcome(usual, "ledger", { ...tls, plaintext: "allow" });
    assert.match(both, /sluice call ledger post/);
  });
});
