import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UndrainRefusedError } from "../../../src/lifecycle/errors.ts";
import { closedPort, openAdmin } from "./open-admin.ts";
import { runSluice } from "./run-sluice.ts";

describe("sluice undrain", () => {
  test("takes a drain back, and says so", async (t) => {
    const { source, at } = await openAdmin(t, "a-good-secret");
    let asked = 0;
    source.onUndrain = () => asked++;
    const ran = await runSluice(["undrain", "--admin-token", "a-good-secret", ...at]);
    assert.deepEqual(ran, { code: 0, out: "", err: `127.0.0.1:${at[1]} serves again\n` });
    assert.equal(asked, 1);
    assert.deepEqual(source.drains, []);
  });

  test("says why it can't be, with code 1", async (t) => {
    const { source, at } = await openAdmin(t);
    source.onUndrain = () => {
      throw new UndrainRefusedError("no-stop", "nothing to undrain: the server is serving");
    };
    const { code, err } = await runSluice(["undrain", ...at]);
    assert.equal(code, 1);
    assert.equal(
      err,
      `sluice: 127.0.0.1:${at[1]} answered 409 to POST /undrain: nothing to undrain: the server is serving\n`,
    );
  });

  test("a server that is not there is named, with code 1", async (t) => {
    const { code, err } = await runSluice(["undrain", ...(await closedPort(t))]);
    assert.equal(code, 1);
    assert.match(err, /^sluice: nothing listens on /);
  });

  test("takes no arguments", async () => {
    const { code, err } = await runSluice(["undrain", "now"]);
    assert.deepEqual([code, err], [2, 'sluice: sluice undrain takes no arguments; got "now"\n']);
  });
});
