import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { describeIdl } from "../../../src/cli/idl.ts";
import type { GeneratedService } from "../../../src/service/define.ts";
import AllTypes from "../../gen/AllTypes.js";
import { runSluice } from "./run-sluice.ts";

const AllTypesOfOld: unknown = createRequire(import.meta.url)("../../gen/callback/AllTypes.js");

const module = fileURLToPath(new URL("./everything-service.ts", import.meta.url));

describe("sluice methods", () => {
  test("lists methods, structs and exceptions with the types of the IDL", async () => {
    const { code, out, err } = await runSluice(["methods", module]);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(
      out,
      `service Everything
  i64 add(i64 a, i64 b)
  void break_()
  set<Color> colors(set<Color> colors)
  All echo(All all)
  list<Inner> inners(list<Inner> inners)
  map<Color, list<Color>> mixes(map<Color, list<Color>> mixes)
  oneway void note(string text)
  Color paint(Color color, i32 times)
  void refuse() throws Refused
  list<list<i32>> rows(list<list<i32>> rows)
  Link shorten(Link link)
  list<Link> shortenAll(list<Link> links)
  void vanish()

struct All
  yes       bool
  small     byte
  short     i16
  middle    i32
  large     i64
  real      double
  text      string
  bytes     binary
  color     Color
  inner     Inner
  inners    list<Inner>
  names     set<string>
  counts    map<string, i64>
  byNumber  map<i64, Inner>
  rows      list<list<i32>>
  grouped   map<string, list<Inner>>
  absent    string                    optional

struct Inner
  name  string
  size  i64     optional

struct Refused
  message  string
  limit    i64

struct Link
  slug    string       required
  color   Color        = BLUE
  inners  list<Inner>  required

enum Color
  RED   1
  BLUE  2
`,
    );
  });

  test("gives the same as JSON", async () => {
    const { out } = await runSluice(["methods", "--json", "ledger"]);
    const { name, methods, structs } = JSON.parse(out);
    const { fields } = structs.find((struct: { name: string }) => struct.name === "Entry");
    assert.deepEqual(fields.at(-1), { name: "memo", type: "string", presence: "optional" });
    assert.equal(name, "Ledger");
    assert.deepEqual(
      methods.find((method: { name: string }) => method.name === "post"),
      {
        name: "post",
        oneway: false,
        result: "Receipt",
        parameters: [{ name: "entry", type: "Entry" }],
        throws: ["InvalidEntry"],
      },
    );
  });

  test("reads code for old JavaScript as it reads classes", () => {
    const names = (service: unknown): string[] => {
      const { structs } = describeIdl(service as GeneratedService);
      return structs.map(({ name, fields }) => `${name} ${fields.map((field) => field.name)}`).sort();
    };
    assert.deepEqual(names(AllTypesOfOld), names(AllTypes));
    assert.ok(names(AllTypes).length > 0);
  });

  test("tells defaults, and which fields are required", () => {
    const { structs } = describeIdl(AllTypes as unknown as GeneratedService);
    const fieldsOf = (struct: string) => structs.find(({ name }) => name === struct)!.fields;
    assert.deepEqual(
      fieldsOf("Defaults").map((field) => [field.name, field.default]),
      [
        ["number", 42],
        ["text", "grün"],
        ["numbers", [1, 2, 3]],
        ["colour", 7],
        ["wide", "9007199254740993"],
        ["truth", true],
        ["real", 0.5],
        ["byName", { a: 1 }],
      ],
    );
    const required = structs.flatMap(({ name, fields }) =>
      fields.flatMap((field) => (field.presence === "required" ? [`${name}.${field.name}`] : [])),
    );
    assert.deepEqual(required, ["Everything.point"]);
  });

  test("says what to write when the module is missing", async () => {
    const { code, err } = await runSluice(["methods"]);
    assert.equal(code, 2);
    assert.match(err, /^sluice: write: sluice methods MODULE/);
  });
});
