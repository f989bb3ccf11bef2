import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { loadService, type ServiceLoadFault } from "../../../src/service/load.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-load-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const define = JSON.stringify(import.meta.resolve("../../../src/service/define.ts"));
const good = `{ name: "Good", service: { Client: class {}, Processor: class {} }, handler: () => ({}) }`;

describe("a service module is loaded", () => {
  it("by path and by file URL", async () => {
    const path = write(
      "good.mjs",
      `import { defineService } from ${define}; export default defineService(${good});`,
    );
    assert.equal((await loadService(path)).name, "Good");
    assert.equal((await loadService(pathToFileURL(path).href)).name, "Good");
  });

  it("from CommonJS, also when compiled from an ES module", async () => {
    const source = `const { defineService } = require(${JSON.stringify(fileURLToPath(JSON.parse(define)))});`;
    const plain = write("plain.cjs", `${source} module.exports = defineService(${good});`);
    assert.equal((await loadService(plain)).name, "Good");
    const compiled = write(
      "compiled.cjs",
      `${source} Object.defineProperty(exports, "__esModule", { value: true }); exports.default = defineService(${good});`,
    );
    assert.equal((await loadService(compiled)).name, "Good");
  });

  const bad: [name: string, file: () => string, fault: ServiceLoadFault, message: RegExp][] = [
    ["that is missing", () => join(folder, "absent.ts"), "unreadable", /absent\.ts: there is no such file/],
    ["that is a folder", () => folder, "unreadable", /is not a file/],
    [
      "that throws",
      () => write("throws.mjs", `\nthrow new RangeError("oh no");`),
      "throws",
      /throws\.mjs throws while it loads: RangeError: oh no \(at .*throws\.mjs:2/,
    ],
    [
      "that does not parse",
      () => write("syntax.mjs", "const a = 1;\nlet b = ;"),
      "throws",
      /syntax\.mjs throws while it loads: SyntaxError: .*to see where: node .*syntax\.mjs/,
    ],
    [
      "whose import is missing",
      () => write("import.mjs", `import "./nowhere.mjs";`),
      "throws",
      /import\.mjs throws while it loads: .*nowhere\.mjs/,
    ],
    [
      "without default export",
      () => write("named.mjs", "export const a = 1;"),
      "no-default-export",
      /named\.mjs has no default export; .*defineService/,
    ],
    [
      "with another default export",
      () => write("other.mjs", `export default { name: "x" };`),
      "not-a-service",
      /other\.mjs: .*not made by defineService/,
    ],
  ];
  for (const [name, file, fault, message] of bad) {
    it(`not: one ${name} is named, and why`, async () => {
      await assert.rejects(loadService(file()), { code: "SLUICE_SERVICE_LOAD", fault, message });
    });
  }
});
