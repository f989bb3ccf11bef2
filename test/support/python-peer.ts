/** Runs Python programs with Apache Thrift's own library: the peer that nobody of this project has written. */
import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Debian's interpreter, for which `python3-thrift` is packaged; one earlier in PATH may lack it. */
const interpreters: readonly string[] = ["/usr/bin/python3", "python3"];
const longestRunMs = 100_000;

const generated: string = fileURLToPath(new URL("../gen/python", import.meta.url));

/**
 * The interpreter, or why there is none. To be given to `skip`: with `SLUICE_REQUIRE_PEERS=1` nothing is skipped, and
 * a missing peer makes the test fail.
 */
export function pythonMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1" || interpreter() !== undefined) return false;
  return "no Python with Apache Thrift here; on Debian: apt-get install python3-thrift";
}

let found: string | undefined;

function interpreter(): string | undefined {
  found ??= interpreters.find((python) => {
    try {
      execFileSync(python, ["-c", "import thrift.protocol.TBinaryProtocol"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
  return found;
}

/**
 * Runs a program of `test/interop/python`.
 *
 * @returns what it printed as JSON @throws with what it wrote to stderr, when it fails
 */
export async function runPython(program: string, ...argv: (string | number)[]): Promise<unknown> {
  const python = interpreter();
  if (python === undefined)
    throw new Error("SLUICE_REQUIRE_PEERS=1, but there is no Python with Apache Thrift");
  const path = fileURLToPath(new URL(`../interop/python/${program}.py`, import.meta.url));
  const env = { ...process.env, PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: "1" };
  const out = await new Promise<string>((resolve, reject) => {
    execFile(python, [path, ...argv.map(String)], { env, timeout: longestRunMs }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}.py failed: ${error.message}\n${stderr}`));
    });
  });
  return JSON.parse(out);
}
