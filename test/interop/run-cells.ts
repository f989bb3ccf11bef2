/** Runs a library's client through all of its cells, and keeps the record of what passed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { makeCertificate } from "../integration/net/certificates.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";
import { root } from "./build.ts";
import { checksOf, type Library, type LibraryId, libraries, nameOf, offeredBy } from "./cells.ts";
import { type Command, type Program, peers } from "./peers.ts";

/** A client that has not come to its end by then waits for something. */
const longestRunMs = 90_000;

const programs: Readonly<Record<LibraryId, string>> = {
  python: "clients/python_client.py",
  thriftpy: "clients/thriftpy_client.py",
  cpp: "clients/client.cpp",
  go: "clients/client.go",
  java: "clients/Client.java",
  node: "clients/node.ts",
};

/** Servers for clients: one on a TCP port with and without TLS, one on a Unix domain socket. */
export interface Servers {
  readonly tcp: ServerProcess;
  readonly unix: ServerProcess;
  readonly unixPath: string;
  readonly certFile: string;
}

/** Starts the servers as a user would who configures nothing but a certificate. */
export async function startServers(t: TestContext): Promise<Servers> {
  const folder = temporaryFolder(t);
  const { certFile, keyFile } = makeCertificate(folder, "server");
  const unixPath = join(folder, "thrift.sock");
  const modules = [fixture("interop"), fixture("second")];
  // What a note is, a worker remembers.
  const args = ["--workers", "1", "--tls-cert", certFile, "--tls-key", keyFile];
  const [tcp, unix] = await Promise.all([
    startServer(t, { modules, args, lifeMs: 2 * longestRunMs }),
    startServer(t, { modules, args: [...args, "--socket", unixPath], lifeMs: 2 * longestRunMs }),
  ]);
  return { tcp, unix, unixPath, certFile };
}

/** What went wrong, by the cell's name; of a cell that passed, nothing. */
export type Outcomes = ReadonlyMap<string, readonly string[]>;

/** Runs all cells of a library. @throws when its client does not build, or does not end well */
export async function runCells(library: Library, servers: Servers): Promise<Outcomes> {
  const { id } = library;
  const program: Program = { name: "client", source: programs[id], idl: "test/idl/interop.thrift" };
  const cells = offeredBy(library);
  const command = await peers[id].prepare(program);
  const output = await runClient(command, servers, cells.map(nameOf));
  const results = new Map<string, Map<string, string>>(cells.map((cell) => [nameOf(cell), new Map()]));
  for (const line of output.split("\n").filter((line) => line !== "")) {
    const [cell = "", check = "", outcome = ""] = line.split("\t");
    results.get(cell)?.set(check, outcome);
  }
  return new Map(
    cells.map((cell) => [nameOf(cell), problemsOf(results.get(nameOf(cell))!, checksOf(library, cell))]),
  );
}

function problemsOf(told: ReadonlyMap<string, string>, wanted: readonly string[]): string[] {
  const failed = [...told]
    .filter(([, outcome]) => outcome !== "ok")
    .map(([check, outcome]) => `${check} ${outcome}`);
  return [...failed, ...wanted.filter((check) => !told.has(check)).map((check) => `${check} was not made`)];
}

async function runClient(
  { file, args, env = {} }: Command,
  { tcp, unixPath, certFile }: Servers,
  lines: readonly string[],
): Promise<string> {
  const child = spawn(file, [...args, String(tcp.port), unixPath, certFile], {
    stdio: ["pipe", "pipe", "pipe"],
    // Node's fetch trusts what this names.
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile, ...env },
    timeout: longestRunMs,
    killSignal: "SIGKILL",
  });
  // A client that ends early says why on stderr.
  child.stdin.on("error", () => {});
  child.stdin.end(`${lines.join("\n")}\n`);
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  if (code !== 0) throw new Error(`${file} ended with ${code ?? signal}: ${errors.slice(-2000)}`);
  return output;
}

/** The cells that have passed, by library. */
export type Passed = Readonly<Record<LibraryId, readonly string[]>>;

const recordFile = join(root, "test/interop/cells.json");

/** What the committed record says of each library. */
export function readRecord(): Passed {
  return JSON.parse(readFileSync(recordFile, "utf8")) as Passed;
}

/** Replaces what the record says of a library. */
export function writeRecord(id: LibraryId, passed: readonly string[]): void {
  const record: Partial<Record<LibraryId, readonly string[]>> = { ...readRecord(), [id]: passed };
  const ordered = Object.fromEntries(libraries.map(({ id }) => [id, record[id] ?? []]));
  writeFileSync(recordFile, `${JSON.stringify(ordered, undefined, 2)}\n`);
}
