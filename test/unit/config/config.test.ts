import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type Config, resolveConfig, type Surroundings } from "../../../src/config/config.ts";
import { OptionError } from "../../../src/config/option-error.ts";
import { showDefault } from "../../../src/config/option-kinds.ts";
import { environmentName, flagName, options } from "../../../src/config/options.ts";
import { misspeltVariables } from "../../../src/config/read-options.ts";
import type { ServeOptions } from "../../../src/config/serve-options.ts";

function resolve(given: object = {}, surroundings: Partial<Surroundings> = {}): Config {
  return resolveConfig(given as ServeOptions, {
    env: {},
    workers: () => 4,
    controllingTerminal: () => false,
    ...surroundings,
  });
}

function errorOf(given: object, surroundings: Partial<Surroundings> = {}): OptionError {
  try {
    resolve(given, surroundings);
  } catch (error) {
    assert.ok(error instanceof OptionError);
    assert.equal(error.code, "SLUICE_BAD_OPTION");
    assert.ok(!error.message.includes("\n"), "the message is one line");
    return error;
  }
  assert.fail("no OptionError was thrown");
}

describe("resolveConfig", () => {
  test("gives the documented defaults when nothing is given", () => {
    const config = resolve();
    assert.equal(config.host, "127.0.0.1");
    assert.equal(config.port, 9090);
    assert.equal(config.socket, undefined);
    assert.equal(config.adminHost, "127.0.0.1");
    assert.equal(config.adminPort, 9091);
    assert.equal(config.workers, 4);
    assert.deepEqual(config.settings, {
      store: "sqlite:./data/ledger.db",
      storeTimeout: "5000",
      flushInterval: "1000",
    });
    assert.equal(config.graceMs, 9000);
    assert.equal(config.lameDuckMs, 0);
    assert.equal(config.quietMs, 100);
    assert.equal(config.busyCloseMs, 1000);
    assert.equal(config.reserveMs, 2000);
    assert.equal(config.callGraceMs, undefined);
    assert.equal(config.startTimeoutMs, 60_000);
    assert.equal(config.maxSignals, 3);
    assert.equal(config.replyOrder, "request");
    assert.equal(config.signals, false);
    assert.equal(config.maxFrameSizeBytes, 16_384_000);
    assert.equal(config.maxMessageSizeBytes, 104_857_600);
    assert.equal(config.recursionLimit, 64);
    assert.equal(config.idleTimeoutMs, undefined);
    assert.equal(config.exposeErrors, false);
  });

  test("the documented default of each option is the default in the table", () => {
    const source = readFileSync(new URL("../../../src/config/serve-options.ts", import.meta.url), "utf8");
    for (const [key, spec] of Object.entries(options)) {
      const [, documented] =
        new RegExp(`Default: ([^*]+?)\\. \\*/\\s+readonly ${key}\\?:`).exec(source) ?? [];
      const shown = showDefault(spec).replace(/^cores/, "the cores");
      assert.equal(documented?.replace(/ bytes$/, ""), shown, key);
    }
  });

  test("what is given wins over the environment, the environment over the default", () => {
    const env = { SLUICE_PORT: "7000", SLUICE_GRACE: "30s" };
    const config = resolve({ port: 8000 }, { env });
    assert.equal(config.port, 8000);
    assert.equal(config.graceMs, 30_000);
    assert.equal(config.quietMs, 100);
  });

  test("durations are numbers of ms or texts with a unit", () => {
    assert.equal(resolve({ grace: 12_000 }).graceMs, 12_000);
    assert.equal(resolve({ grace: "12s" }).graceMs, 12_000);
    assert.equal(resolve({ grace: "1.5m" }).graceMs, 90_000);
    assert.equal(resolve({ quiet: "250ms" }).quietMs, 250);
    assert.equal(resolve({ quiet: "0" }).quietMs, 0);
  });

  test("a duration as text without a unit is refused, for nobody knows which was meant", () => {
    assert.match(
      errorOf({}, { env: { SLUICE_GRACE: "9" } }).message,
      /^SLUICE_GRACE: "9" is not allowed; give a dur/,
    );
  });

  test("sizes are numbers of bytes or texts with a binary or decimal unit", () => {
    assert.equal(resolve({ maxFrameSize: 1000 }).maxFrameSizeBytes, 1000);
    assert.equal(resolve({ maxFrameSize: "1000" }).maxFrameSizeBytes, 1000);
    assert.equal(resolve({ maxFrameSize: "64k" }).maxFrameSizeBytes, 65_536);
    assert.equal(resolve({ maxFrameSize: "16MiB" }).maxFrameSizeBytes, 16_777_216);
    assert.equal(resolve({ maxFrameSize: "100MB" }).maxFrameSizeBytes, 100_000_000);
  });

  test("0 and off switch a timeout off; callGrace 0 is a value", () => {
    assert.equal(resolve({ writeTimeout: 0 }).writeTimeoutMs, undefined);
    assert.equal(resolve({ writeTimeout: "off" }).writeTimeoutMs, undefined);
    assert.equal(resolve({ callGrace: 0 }).callGraceMs, 0);
    assert.equal(resolve({ callGrace: "off" }).callGraceMs, undefined);
    assert.equal(resolve({ callGrace: "5s" }).callGraceMs, 5000);
  });

  test("switches take true and false in the words of an environment", () => {
    assert.equal(resolve({}, { env: { SLUICE_EXPOSE_ERRORS: "yes" } }).exposeErrors, true);
    assert.equal(resolve({}, { env: { SLUICE_EXPOSE_ERRORS: "0" } }).exposeErrors, false);
    assert.match(errorOf({}, { env: { SLUICE_EXPOSE_ERRORS: "maybe" } }).message, /give true or false/);
  });

  for (const [given, message] of [
    [{ port: 65_536 }, "port: 65536 is not allowed; give a whole number from 0 to 65535"],
    [{ port: "http" }, 'port: "http" is not allowed; give a whole number from 0 to 65535'],
    [{ port: 1.5 }, "port: 1.5 is not allowed; give a whole number from 0 to 65535"],
    [{ port: "1.5" }, 'port: "1.5" is not allowed; give a whole number from 0 to 65535'],
    [{ workers: "0.6" }, 'workers: "0.6" is not allowed; give a whole number from 1 to 512'],
    [{ port: Number.NaN }, "port: NaN is not allowed; give a whole number from 0 to 65535"],
    [{ workers: 0 }, "workers: 0 is not allowed; give a whole number from 1 to 512"],
    [{ hup: "restart" }, 'hup: "restart" is not allowed; give one of reload, drain, ignore'],
    [
      { host: "" },
      'host: "" is not allowed; give an IP address or host name such as 127.0.0.1, 0.0.0.0 or ::1',
    ],
    [{ portt: 1 }, "portt: no such option; did you mean port?"],
    [{ zebra: 1 }, "zebra: no such option"],
    [{ signals: "yes" }, "signals: give true or false"],
    [{ beforeExit: 1 }, "beforeExit: give a function"],
    [{ settings: { region: 3 } }, "settings.region: give a text, not a number"],
  ] as const) {
    test(`a bad option is one line: ${message}`, () => {
      assert.equal(errorOf(given).message, message);
    });
  }

  test("an error names the option as the user wrote it", () => {
    assert.match(errorOf({ grace: "x" }, { naming: "flag" }).message, /^--grace: "x"/);
    assert.match(errorOf({}, { env: { SLUICE_ADMIN_PORT: "x" } }).message, /^SLUICE_ADMIN_PORT: "x"/);
    assert.match(errorOf({ adminPort: "x" }).message, /^adminPort: "x"/);
  });

  test("an error does not show the password of a URL, and is bounded", () => {
    assert.match(errorOf({ store: "postgre://me:secret@db/ledger" }).message, /postgre:\/\/me:\*\*\*@db/);
    assert.ok(errorOf({ store: "x".repeat(10_000) }).message.length < 200);
  });

  test("an error does not show a secret", () => {
    assert.match(
      errorOf({ adminToken: "short" }).message,
      /^adminToken: this value is not allowed; give 8 to/,
    );
  });

  test("lameDuck + quiet + reserve must be less than grace", () => {
    assert.equal(
      errorOf({ lameDuck: "7s" }, { naming: "flag" }).message,
      "--grace: 9s is not allowed; it must be more than --lame-duck (7s) + --quiet (100ms) + --reserve (2s) = 9100ms",
    );
    assert.match(errorOf({ lameDuck: 6900 }).message, /^grace: 9s is not allowed/);
    assert.equal(resolve({ lameDuck: 6899 }).lameDuckMs, 6899);
  });

  test("clients and the admin port need ports of their own where they share an address", () => {
    assert.equal(
      errorOf({ port: 9091 }, { naming: "flag" }).message,
      "--admin-port: 9091 is --port, too; choose another (0 picks a free one)",
    );
    assert.match(
      errorOf({ port: 7000, adminPort: 7000, host: "0.0.0.0" }).message,
      /^adminPort: 7000 is port, too/,
    );
    assert.equal(resolve({ port: 0, adminPort: 0 }).port, 0);
    assert.equal(resolve({ port: 7000, adminPort: 7000, host: "127.0.0.2" }).port, 7000);
    assert.equal(resolve({ port: 9091, socket: "/run/s.sock" }).port, 9091);
  });

  test("an empty variable counts as not set", () => {
    assert.equal(resolve({}, { env: { SLUICE_PORT: "", SLUICE_SOCKET: "" } }).port, 9090);
  });

  test("a Kubernetes service link in SLUICE_PORT is no port", () => {
    assert.equal(resolve({}, { env: { SLUICE_PORT: "tcp://10.0.0.1:9090" } }).port, 9090);
  });

  test("store is settings.store; an explicit one wins over settings, settings over the environment", () => {
    const env = { SLUICE_STORE: "sqlite:/env.db" };
    assert.equal(resolve({}, { env }).settings["store"], "sqlite:/env.db");
    const settings = { store: "theirs", region: "eu" };
    const times = { storeTimeout: "5000", flushInterval: "1000" };
    assert.deepEqual(resolve({ settings }, { env }).settings, { ...times, ...settings });
    assert.equal(resolve({ settings: times, flushInterval: "2s" }).settings["flushInterval"], "2000");
    assert.equal(resolve({ settings, store: "sqlite:/a.db" }, { env }).settings["store"], "sqlite:/a.db");
  });

  test("SIGHUP drains when there is a controlling terminal, else reloads, unless told otherwise", () => {
    assert.equal(resolve({}, { controllingTerminal: () => true }).hup, "drain");
    assert.equal(resolve().hup, "reload");
    assert.equal(resolve({ hup: "ignore" }, { controllingTerminal: () => true }).hup, "ignore");
  });

  test("the machine's workers are at least two", () => {
    const config = resolveConfig({}, { env: {} });
    assert.ok(config.workers >= 2);
  });
});

test("flags and variables are derived from the key", () => {
  assert.equal(flagName("adminPort"), "--admin-port");
  assert.equal(environmentName("adminPort"), "SLUICE_ADMIN_PORT");
  assert.equal(flagName("fb303Shutdown"), "--fb303-shutdown");
  assert.equal(environmentName("maxInFlightPerConnection"), "SLUICE_MAX_IN_FLIGHT_PER_CONNECTION");
});

test("a variable that is nearly one of ours is told, those of Kubernetes are not", () => {
  const env = {
    SLUICE_GRASE: "9s",
    SLUICE_PORT: "1",
    SLUICE_PORT_9090_TCP: "x",
    SLUICE_SERVICE_HOST: "x",
    PATH: "",
  };
  assert.deepEqual(misspeltVariables(options, env), [["SLUICE_GRASE", "SLUICE_GRACE"]]);
});
