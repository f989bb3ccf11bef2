/** Whoever uses the package finds in its docstrings what each part means, what it is by default and what it throws. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkOptions } from "../../../src/client/options.ts";
import { type ApiItem, readApi } from "../../../tools/api-model.ts";

const entries = readApi();
const items = entries.flatMap(({ specifier, items }) => items.map((item) => ({ specifier, item })));

/** Types that callers never name: they only put public ones together, or are for tests. */
const behindTheScenes = new Set([
  "Arguments",
  "ArgumentsOf",
  "ClassOf",
  "ClientSeams",
  "LifecycleState",
  "MethodsOf",
  "ResultOf",
]);

/** What takes options: whoever leaves one out wants to know what then holds. */
const takesOptions = /(?:Options|Definition)$/;

describe("the public interface", () => {
  test("is what package.json exports", () => {
    assert.deepEqual(
      entries.map(({ specifier }) => specifier),
      ["thrift-sluice", "thrift-sluice/client"],
    );
    assert.ok(items.length > 60, `only ${items.length} exports were found`);
  });

  test("has a docstring on every export and every member", () => {
    assert.deepEqual(items.flatMap(undocumented), []);
  });

  test("says of every parameter of a function what it is", () => {
    const silent = items
      .filter(({ item }) => item.kind === "function")
      .flatMap(({ item }) =>
        item.parameters.filter((name) => !item.doc.params[name]).map((name) => `${item.name}(${name})`),
      );
    assert.deepEqual(silent, []);
  });

  test("says of every option what its default is", () => {
    const silent = items
      .filter(({ item }) => takesOptions.test(item.name))
      .flatMap(({ item }) =>
        item.members
          .filter(({ optional, doc }) => optional && !/\bdefault/i.test(doc.text))
          .map(({ name }) => `${item.name}.${name}`),
      );
    assert.deepEqual(silent, []);
  });

  test("says of the client's options the defaults that they have", () => {
    const checked = checkOptions({ endpoints: "127.0.0.1:9090" }, {});
    const { members } = items.find(({ item }) => item.name === "ClientOptions")!.item;
    const told = members.flatMap(({ name, doc }) => {
      const number = /Default ([\d,]+)(?! MiB)\b/.exec(doc.text)?.[1];
      return number === undefined ? [] : [[name, Number(number.replaceAll(",", ""))]];
    });
    assert.ok(told.length >= 5);
    assert.deepEqual(
      told,
      told.map(([name]) => [name, checked[name as keyof typeof checked]]),
    );
  });

  test("says of every length of time and every amount of bytes in which unit it is", () => {
    const silent = items.flatMap(({ item }) =>
      item.members
        .filter(({ name, type }) => type === "number" && /(?:Ms|Bytes)$/.test(name))
        .filter(({ doc }) => !/\bms\b|\bseconds?\b|[KMG]iB\b|\bbytes\b/i.test(`${doc.text} ${item.doc.text}`))
        .map(({ name }) => `${item.name}.${name}`),
    );
    assert.deepEqual(silent, []);
  });

  test("names no type that callers can't import", () => {
    for (const { specifier, items } of entries) {
      const exported = new Set(items.map(({ name }) => name));
      const missing = items.flatMap(({ name, mentions }) =>
        mentions
          .filter((other) => !exported.has(other) && !behindTheScenes.has(other))
          .map((other) => `${other}, of ${name}`),
      );
      assert.deepEqual(missing, [], specifier);
    }
  });
});

function undocumented({ specifier, item }: { specifier: string; item: ApiItem }): string[] {
  const members = item.members.filter(({ doc }) => doc.text === "").map(({ name }) => `${item.name}.${name}`);
  return [...(item.doc.text === "" ? [item.name] : []), ...members].map((name) => `${specifier}: ${name}`);
}
