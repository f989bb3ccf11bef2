import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { type GuardPolicy, isLoopbackAddress, refusalOf } from "../../../src/admin/guard.ts";

const onLoopback: GuardPolicy = { loopback: true, ownHosts: ["admin.internal"], token: undefined };
const everywhere: GuardPolicy = { loopback: false, ownHosts: ["0.0.0.0"], token: undefined };

function requestOf(method: string, headers: Record<string, string>): IncomingMessage {
  const distinct = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  return { method, headers, headersDistinct: distinct } as unknown as IncomingMessage;
}

function statusFor(policy: GuardPolicy, method: string, headers: Record<string, string>): number | undefined {
  return refusalOf(requestOf(method, headers), policy)?.status;
}

test("loopback names, with any port, and the own name may be the Host", () => {
  const hosts = [
    "localhost",
    "LOCALHOST:9091",
    "127.0.0.1:1",
    "127.8.9.1",
    "[::1]:9091",
    "[::1]",
    "admin.internal:9091",
  ];
  for (const host of hosts) assert.equal(statusFor(onLoopback, "GET", { host }), undefined, host);
  assert.equal(statusFor(onLoopback, "GET", {}), undefined, "HTTP/1.0 health checks send none");
});

test("any other Host is refused on loopback, and none beyond it", () => {
  const hosts = [
    "evil.example",
    "evil.example:9091",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.localhost.example",
    "10.0.0.1",
    "",
    ":9091",
    "[::2]",
    "[::1",
    "localhost:9091:1",
    "user@localhost",
    "[127.0.0.1].evil",
    "0177.0.0.1.x",
  ];
  for (const host of hosts) assert.equal(statusFor(onLoopback, "GET", { host }), 403, host);
  assert.equal(statusFor(everywhere, "GET", { host: "evil.example" }), undefined);
});

test("an Origin must be the own one, for GET too", () => {
  const host = "localhost:9091";
  for (const origin of ["http://localhost:9091", "http://LOCALHOST:9091", "https://localhost:9091"]) {
    assert.equal(statusFor(onLoopback, "GET", { host, origin }), undefined, origin);
  }
  for (const origin of [
    "http://evil.example",
    "http://localhost:3000",
    "http://localhost",
    "null",
    "",
    "http://127.0.0.1:9091",
    "file://localhost:9091",
    "http://localhost:9091, http://evil.example",
    "http://localhost:9091.evil.example",
  ]) {
    for (const policy of [onLoopback, everywhere])
      assert.equal(statusFor(policy, "GET", { host, origin }), 403, origin);
  }
});

test("POST needs the header that pages can't send", () => {
  assert.equal(statusFor(onLoopback, "POST", { host: "localhost" }), 403);
  assert.equal(statusFor(onLoopback, "POST", { host: "localhost", "x-sluice-admin": "" }), 403);
  assert.equal(statusFor(onLoopback, "POST", { host: "localhost", "x-sluice-admin": "1" }), undefined);
});

test("beyond loopback POST needs a token, and without one configured nothing helps", () => {
  const post = { host: "server:9091", "x-sluice-admin": "1" };
  assert.equal(statusFor(everywhere, "POST", { ...post, authorization: "Bearer " }), 403);
  assert.equal(statusFor(everywhere, "POST", { ...post, authorization: "Bearer undefined" }), 403);
  const withToken = { ...everywhere, token: "s3cret" };
  assert.equal(statusFor(withToken, "POST", post), 401);
  assert.equal(statusFor(withToken, "POST", { ...post, authorization: "Bearer s3cre" }), 401);
  assert.equal(statusFor(withToken, "POST", { ...post, authorization: "s3cret" }), 401);
  assert.equal(statusFor(withToken, "POST", { ...post, authorization: "Bearer s3cret" }), undefined);
  assert.equal(statusFor(withToken, "POST", { host: "x", authorization: "Bearer s3cret" }), 403);
  assert.equal(statusFor({ ...onLoopback, token: "s3cret" }, "POST", { ...post, host: "localhost" }), 401);
});

test("a wrong token is told from none", () => {
  const post = { host: "localhost", "x-sluice-admin": "1" };
  const withToken = { ...onLoopback, token: "s3cret" };
  const said = (headers: Record<string, string>): string | undefined =>
    refusalOf(requestOf("POST", headers), withToken)?.message;
  assert.equal(said(post), "POST needs the header authorization: Bearer with the admin token");
  assert.equal(
    said({ ...post, authorization: "Bearer s3cre" }),
    "the header authorization has another token than the admin token; it is to be: Bearer with the admin token",
  );
});

test("two Host headers are refused", () => {
  const request = {
    method: "GET",
    headers: { host: "localhost" },
    headersDistinct: { host: ["localhost", "evil"] },
  };
  assert.equal(refusalOf(request as unknown as IncomingMessage, onLoopback)?.status, 400);
});

test("loopback addresses are told from others", () => {
  for (const address of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
    assert.ok(isLoopbackAddress(address));
  for (const address of ["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "127.evil"])
    assert.ok(!isLoopbackAddress(address));
});
