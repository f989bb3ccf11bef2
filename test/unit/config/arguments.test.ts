import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseArguments } from "../../../src/config/arguments.ts";
import { describeOptions, describeUnits } from "../../../src/config/help-text.ts";
import { environmentName, flagName, optionGroups, options } from "../../../src/config/options.ts";

function parse(...argv: string[]): ReturnType<typeof parseArguments> {
  return parseArguments(options, argv);
}

describe("parseArguments", () => {
  test("reads values behind a space and behind an equals sign, and keeps what is no flag", () => {
    const { given, positionals, help } = parse("a.ts", "--admin-port", "7", "--grace=12s", "b.ts");
    assert.deepEqual(given, { adminPort: "7", grace: "12s" });
    assert.deepEqual(positionals, ["a.ts", "b.ts"]);
    assert.equal(help, false);
  });

  test("the last of several wins", () => {
    assert.deepEqual(parse("--port", "1", "--port", "2").given, { port: "2" });
  });

  test("a switch needs no value and has a negative", () => {
    assert.deepEqual(parse("--expose-errors", "x.ts").given, { exposeErrors: true });
    assert.deepEqual(parse("--no-expose-errors").given, { exposeErrors: false });
    assert.deepEqual(parse("--expose-errors=no").given, { exposeErrors: "no" });
  });

  test("behind -- nothing is a flag", () => {
    assert.deepEqual(parse("--", "--port").positionals, ["--port"]);
  });

  test("a negative number is a value, for the check to refuse", () => {
    assert.deepEqual(parse("--port", "-1").given, { port: "-1" });
  });

  test("--help and -h are told", () => {
    assert.equal(parse("--help").help, true);
    assert.equal(parse("x.ts", "-h").help, true);
  });

  test("an unknown flag is refused with the nearest name", () => {
    assert.throws(() => parse("--admin-prot", "1"), {
      message: "--admin-prot: no such option; did you mean --admin-port?",
    });
    assert.throws(() => parse("--zzzzzzzzzz"), { message: "--zzzzzzzzzz: no such option" });
    assert.throws(() => parse("-p", "1"), { code: "SLUICE_BAD_OPTION" });
    assert.throws(() => parse("--no-port"), { code: "SLUICE_BAD_OPTION" });
  });

  test("a flag without its value says what it takes", () => {
    assert.throws(() => parse("--port"), {
      message: "--port: a value is missing; give a whole number from 0 to 65535",
    });
    assert.throws(() => parse("--port", "--host", "x"), { message: /^--port: a value is missing/ });
  });
});

describe("describeOptions", () => {
  test("names every option with its flag and default", () => {
    const text = describeOptions(options, optionGroups);
    for (const key of Object.keys(options)) {
      assert.match(text, new RegExp(`^  ${flagName(key)}( |$)`, "m"), key);
    }
    assert.match(text, /--grace DURATION +the whole stop.* \[9s\]/);
    assert.match(text, /--max-message-size SIZE +.* \[100MiB\]/);
    assert.match(text, /^Limits:$/m);
  });

  test("no line is wider than a common terminal", () => {
    for (const line of describeOptions(options, optionGroups).split("\n")) {
      assert.ok(line.length <= 120, line);
    }
  });

  test("says how the environment names an option", () => {
    assert.ok(describeUnits("adminPort").includes(`--admin-port as ${environmentName("adminPort")}`));
  });
});
