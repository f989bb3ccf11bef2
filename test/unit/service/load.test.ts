import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { exposeNames } from "../../../src/cli/generated-folder.ts";
import { loadService } from "../../../src/service/load.ts";
import { registerSelfResolution } from "../../../src/service/self-resolution.ts";

const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const generated = fileURLToPath(new URL("../../../templates/service/gen", import.meta.url));

/** A folder with a package of ES modules, in it generated code, and one module. @returns the module's path */
function layOut(t: TestContext, source: string): { folder: string; module: string } {
  registerSelfResolution();
  const folder = mkdtempSync(join(tmpdir(), "sluice-load-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  symlinkSync(packages, join(folder, "node_modules"));
  cpSync(generated, join(folder, "gen"), { recursive: true });
  const module = join(folder, "service.ts");
  writeFileSync(module, source);
  return { folder, module };
}

const service = `import { defineService } from "thrift-sluice";
import * as ServiceName from "./gen/ServiceName.js";
import { DivisionError } from "./gen/service_name_types.js";
export default defineService({ name: "S", service: ServiceName, handler: () => ({ e: DivisionError }) });
`;

describe("a service module that does not load", () => {
  test("does load when nothing is wrong", async (t) => {
    assert.equal((await loadService(layOut(t, service).module)).name, "S");
  });

  test("that is not there: the nearest file is named", async (t) => {
    const { folder } = layOut(t, service);
    await assert.rejects(loadService(join(folder, "servce.ts")), /no such file; did you mean service\.ts\?$/);
    await assert.rejects(loadService(join(folder, "no", "service.ts")), /no such file$/);
  });

  test("that is IDL", async (t) => {
    const { folder } = layOut(t, service);
    writeFileSync(join(folder, "calc.thrift"), "service Calc {}");
    await assert.rejects(loadService(join(folder, "calc.thrift")), /is IDL: give the module that serves it/);
  });

  test("whose generated code is missing", async (t) => {
    const { folder, module } = layOut(t, service);
    rmSync(join(folder, "gen"), { recursive: true });
    await assert.rejects(
      loadService(module),
      /Cannot find module '[^']*ServiceName\.js' imported from [^;(]*service\.ts; generate the code anew: npx thrift-sluice gen$/,
    );
    const misspelt = layOut(t, service.replace("gen/ServiceName.js", "gen/ServiecName.js"));
    await assert.rejects(loadService(misspelt.module), /; did you mean ServiceName\.js\?$/);
  });

  test("that imports a package which is not installed", async (t) => {
    const { module } = layOut(t, `import "@some/left-pad/all.js";\n`);
    await assert.rejects(loadService(module), /is it installed\? npm install @some\/left-pad$/);
  });

  test("whose generated code is read as ES modules", async (t) => {
    const named = layOut(t, service);
    rmSync(join(named.folder, "gen", "package.json"));
    const hint =
      /code is CommonJS: write \{ "type": "commonjs" \} into \S+gen\/package\.json, or let npx thrift-sluice gen do it$/;
    await assert.rejects(loadService(named.module), hint);
    const all = layOut(t, service.replace(/import \{ DivisionError.*\n/, "").replace("DivisionError", "1"));
    rmSync(join(all.folder, "gen", "package.json"));
    await assert.rejects(loadService(all.module), hint);
  });

  test("that imports a name which generated code does not have", async (t) => {
    const type = layOut(t, service.replaceAll("DivisionError", "DivsionError"));
    await assert.rejects(
      loadService(type.module),
      /if the IDL has DivsionError, generate the code anew: npx thrift-sluice gen$/,
    );
    const named = layOut(t, service.replace("* as ServiceName", "{ ServiceName }"));
    await assert.rejects(
      loadService(named.module),
      /write: import \* as ServiceName from "\.\/gen\/ServiceName\.js"$/,
    );
  });

  test("that imports an enum or a constant of the Thrift compiler's own code by name", async (t) => {
    const source = service.replaceAll("DivisionError", "Kind");
    const { folder, module } = layOut(t, source);
    const types = join(folder, "gen", "service_name_types.js");
    const code = `${readFileSync(types, "utf8")}ttypes.Kind = {\n'1' : 'A',\n'A' : 1\n};\n`;
    writeFileSync(types, code);
    await assert.rejects(
      loadService(module),
      /; Kind is an enum or a constant, .* npx thrift-sluice gen makes it visible; or write: import types from "\.\/gen\/service_name_types\.js"; const \{ Kind \} = types$/,
    );
    const exposed = layOut(t, source);
    writeFileSync(join(exposed.folder, "gen", "service_name_types.js"), exposeNames(code));
    assert.equal((await loadService(exposed.module)).name, "S");
    const elsewhere = layOut(t, `import { DivisionError } from "./gen/ServiceName.js";`);
    await assert.rejects(loadService(elsewhere.module), /; it is in \.\/gen\/service_name_types\.js$/);
  });

  test("that imports a type as if it were a value", async (t) => {
    const { module } = layOut(t, service.replace("{ defineService }", "{ defineService, ServiceContext }"));
    await assert.rejects(
      loadService(module),
      /if ServiceContext is a type, write: import type \{ ServiceContext \}$/,
    );
  });

  test("whose generated code is for browsers", async (t) => {
    const { folder, module } = layOut(
      t,
      service.replace(/import \{ DivisionError.*\n/, "").replace("DivisionError", "1"),
    );
    writeFileSync(
      join(folder, "gen", "ServiceName.js"),
      "//\n// Autogenerated by Thrift Compiler (0.17.0)\n//\nlet x = class { read() { return Thrift; } };\nnew x().read();\n",
    );
    await assert.rejects(
      loadService(module),
      /ServiceName\.js:4:\d+\); generate the code anew: npx thrift-sluice gen$/,
    );
  });

  test("that has what can't be left away", async (t) => {
    const { module } = layOut(t, `${service}enum Colour { Red }\n`);
    await assert.rejects(
      loadService(module),
      /only leaves types away; "erasableSyntaxOnly": true in tsconfig\.json/,
    );
  });

  test("that uses paths of tsconfig.json", async (t) => {
    const { module } = layOut(t, service.replace("./gen/ServiceName.js", "@/gen/ServiceName.js"));
    await assert.rejects(
      loadService(module),
      /; "paths" of tsconfig\.json do not hold at run time: write a relative path/,
    );
  });

  test("that is no TypeScript: file, line and column are named, also of what it imports", async (t) => {
    const wrong = "const a: number = 1;\nfunction f(: string) {}\n";
    const { module } = layOut(t, wrong);
    await assert.rejects(loadService(module), (error: Error) =>
      error.message.endsWith(` (at ${module}:2:12)`),
    );
    const imports = layOut(t, `import "./other.ts";\n`);
    writeFileSync(join(imports.folder, "other.ts"), wrong);
    await assert.rejects(loadService(imports.module), /\(at \S*other\.ts:2:12\)$/);
  });

  test("with a syntax error that only the console is shown: what to run", async (t) => {
    const { module } = layOut(t, "const a: number = 1;\nconst a = 2;\n");
    await assert.rejects(loadService(module), (error: Error) =>
      error.message.endsWith(`already been declared (to see where: node ${module})`),
    );
    const shown = spawnSync(process.execPath, [module], { encoding: "utf8" });
    assert.match(shown.stderr, /service\.ts:2\n/);
  });

  test("that throws: the place is its own", async (t) => {
    const { folder, module } = layOut(t, `import "./other.ts";\n`);
    writeFileSync(join(folder, "other.ts"), "\nthrow new Error('no licence');\n");
    await assert.rejects(loadService(module), /Error: no licence \(at \S*other\.ts:2:7\)$/);
  });
});
