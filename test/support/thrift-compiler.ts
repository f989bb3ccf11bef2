import { execFileSync } from "node:child_process";

/**
 * Why there is no Thrift compiler, or false. To be given to `skip`: with `SLUICE_REQUIRE_PEERS=1` nothing is skipped,
 * and a missing peer makes the test fail.
 */
export function compilerMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1") return false;
  try {
    execFileSync("thrift", ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return "no Thrift compiler here; on Debian: apt-get install thrift-compiler";
  }
}
