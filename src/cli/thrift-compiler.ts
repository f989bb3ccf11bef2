/** Finds and runs the Thrift compiler. */
import { spawnSync } from "node:child_process";

/** What Sluice and TypeScript need: code of today's JavaScript, for Node.js, with types. */
export const compilerOptions = "js:node,ts,es6";

/** Whether there is a compiler. */
export type Compiler = { readonly kind: "found" } | { readonly kind: "missing"; readonly advice: string };

/** An IDL of thousands of lines takes a second. */
const longestRunMs = 60_000;

/** Looks for the compiler. @param command its name or path */
export function findCompiler(command: string): Compiler {
  const { error, stdout } = spawnSync(command, ["--version"], { encoding: "utf8", timeout: longestRunMs });
  if (error === undefined && /^Thrift version /.test(stdout)) {
    return { kind: "found" };
  }
  const why =
    (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT"
      ? command.includes("/")
        ? "there is no such file"
        : "it is not in PATH"
      : error === undefined
        ? "it does not say `Thrift version …` when asked by --version"
        : error.message;
  return { kind: "missing", advice: advice(command, why) };
}

function advice(command: string, why: string): string {
  return `sluice: there is no Thrift compiler: ${command}: ${why}. To get it:
  Debian, Ubuntu  sudo apt-get install thrift-compiler
  macOS           brew install thrift
  Docker          docker run --rm -v "$PWD:/work" -w /work debian:12 sh -c 'apt-get update && apt-get install -y thrift-compiler && mkdir -p gen && thrift -r --gen ${compilerOptions} -out gen idl/NAME.thrift'
  otherwise       https://thrift.apache.org/download
If it is there but not found: sluice gen --thrift PATH, or SLUICE_THRIFT=PATH
`;
}

/**
 * Compiles one IDL file and what it includes.
 *
 * @param out a folder that exists
 * @returns whether it could, and what the compiler said: warnings, or the error with file and line
 */
export function compile(command: string, file: string, out: string): { ok: boolean; told: string } {
  const argv = ["-r", "--gen", compilerOptions, "-out", out, file];
  const { status, stdout, stderr, error } = spawnSync(command, argv, {
    encoding: "utf8",
    timeout: longestRunMs,
  });
  const lines = `${stdout}\n${stderr}\n${error?.message ?? ""}`
    .split("\n")
    .filter((line) => line.trim() !== "");
  // It reads everything twice, and warns as often.
  const told = [...new Set(lines)].map((line) => `${line}\n`).join("");
  return { ok: status === 0, told };
}
