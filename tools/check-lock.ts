/**
 * Checks that package-lock.json has the optional packages of all platforms. npm leaves out those that it could not
 * find when it wrote the file, and `npm ci` then refuses to install anything, on every platform.
 */
import { readFileSync } from "node:fs";

interface Lock {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Record<string, string> }>>;
}

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as Lock;
const missing = Object.values(lock.packages)
  .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
  .filter((name) => !Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`)));
if (missing.length > 0) {
  console.error(
    `package-lock.json lacks ${missing.join(", ")}: npm ci would refuse it; restore their entries`,
  );
  process.exitCode = 1;
}
