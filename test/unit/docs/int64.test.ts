import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { int64FromHalves } from "../../../src/wire/int64.ts";
import { root } from "../../process/docs/code-blocks.ts";

test("docs/client.md says how an i64 is had as number, bigint and JSON", () => {
  const text = readFileSync(join(root, "docs/client.md"), "utf8");
  const [, block = ""] = /^declare const amount: Int64;\n([\s\S]*?)^```$/m.exec(text) ?? [];
  const code = block.replaceAll("export ", "").replaceAll(/: (number|bigint) =/g, " =");
  const shown = new Function("amount", `${code} return [rounded, exact, json];`);
  assert.deepEqual(shown(int64FromHalves(0, 7)), [7, 7n, '{"amount":"7"}']);
  assert.deepEqual(shown(int64FromHalves(-1, -2)), [-2, -2n, '{"amount":"-2"}']);
  assert.deepEqual(shown(int64FromHalves(0x7fffffff, -1)), [
    Number.POSITIVE_INFINITY,
    2n ** 63n - 1n,
    '{"amount":"9223372036854775807"}',
  ]);
});
