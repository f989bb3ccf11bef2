/**
 * Checks a packed package, the tarball that is named, as its callers' tools will see it: with publint whether its
 * entries are there and of the kind they say, with "are the types wrong" whether types and code agree for every caller.
 *
 * These tools have their own package.json beside this file: with what they bring (a TypeScript of their own) they would
 * be a third of what an ordinary install of the project takes.
 */
import { readFileSync } from "node:fs";

interface Publint {
  publint(options: { pack: { tarball: ArrayBuffer }; level: "suggestion"; strict: boolean }): Promise<{
    readonly messages: readonly { readonly code: string; readonly type: string; readonly path: string[] }[];
    readonly pkg: object;
  }>;
}

interface PublintTexts {
  formatMessage(message: object, pkg: object, options: { color: boolean }): string | undefined;
}

interface AreTheTypesWrong {
  createPackageFromTarballData(tarball: Uint8Array): object;
  checkPackage(pack: object): Promise<{
    readonly types: false | object;
    readonly problems?: readonly { readonly kind: string; readonly resolutionKind?: string }[];
  }>;
}

/** What is not asked for: resolution as before Node 12, which knows no `exports`. */
const unsupported = "node10";

/** Loaded by variable: they are installed only where this runs. */
async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}

async function publintProblems(tarball: Uint8Array): Promise<string[]> {
  const { publint } = await load<Publint>("publint");
  const { formatMessage } = await load<PublintTexts>("publint/utils");
  const data = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) as ArrayBuffer;
  const { messages, pkg } = await publint({ pack: { tarball: data }, level: "suggestion", strict: true });
  return messages.map(
    (message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
  );
}

async function typeProblems(tarball: Uint8Array): Promise<string[]> {
  const { checkPackage, createPackageFromTarballData } =
    await load<AreTheTypesWrong>("@arethetypeswrong/core");
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(tarball));
  if (types === false) return ["are the types wrong: it has no types"];
  return problems
    .filter(({ resolutionKind }) => resolutionKind !== unsupported)
    .map((problem) => `are the types wrong: ${JSON.stringify({ ...problem, trace: undefined })}`);
}

const path = process.argv[2];
if (path === undefined) throw new Error("write: check.ts TARBALL");
const tarball = readFileSync(path);
const problems = [...(await publintProblems(tarball)), ...(await typeProblems(tarball))];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log("publint and are-the-types-wrong find nothing");
