/**
 * A PostgreSQL server for tests: a cluster of its own in a temporary folder, from the machine's packages (Debian:
 * `apt-get install postgresql`), on a free loopback port.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { freePort } from "./free-ports.ts";

/** The cluster's superuser; the password is looked for in logs. */
export const postgresUser = "ledger";
export const postgresPassword = "s3cret@pass";

const binaries: string | undefined = findBinaries();

/** Why tests that need PostgreSQL are skipped here; false when they run. `SLUICE_REQUIRE_PEERS=1` runs them in any case. */
export const withoutPostgres: string | false =
  binaries === undefined && process.env["SLUICE_REQUIRE_PEERS"] !== "1"
    ? "there is no PostgreSQL server on this machine (Debian: apt-get install postgresql)"
    : false;

export interface PostgresOptions {
  /** Settings of the server. Default: none; tests that don't kill it may give `fsync=off`. */
  readonly settings?: readonly string[];
}

/** Makes a cluster and starts its server. */
export async function startPostgres({ settings = [] }: PostgresOptions = {}): Promise<Postgres> {
  if (binaries === undefined)
    throw new Error("no initdb and postgres found; Debian: apt-get install postgresql");
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"));
  const owner = ownerOfServer();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, `${postgresPassword}\n`, { mode: 0o644 });
  const data = join(folder, "data");
  const locale = ["--encoding=UTF8", "--locale=C.UTF-8"];
  const login = ["--username", postgresUser, "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  const args = ["--pgdata", data, "--no-sync", "--no-instructions", ...locale, ...login];
  execFileSync(join(binaries, "initdb"), args, {
    ...owner,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const postgres = new Postgres(join(binaries, "postgres"), folder, await freePort(), settings);
  await postgres.start();
  return postgres;
}

export class Postgres implements AsyncDisposable {
  readonly port: number;
  readonly #program: string;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;
  #databases = 0;

  constructor(program: string, folder: string, port: number, settings: readonly string[]) {
    this.#program = program;
    this.#folder = folder;
    this.port = port;
    this.#settings = settings;
  }

  /** Starts the server, and recovers what the last one left. Resolves when it takes connections. */
  async start(): Promise<void> {
    const set = [
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${this.#folder}`,
      ...this.#settings,
    ].flatMap((setting) => ["-c", setting]);
    const args = ["-D", join(this.#folder, "data"), "-p", String(this.port), ...set];
    const options = { ...ownerOfServer(), cwd: this.#folder };
    const child = spawn(this.#program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        if (said.length < 100_000) said += text;
        if (said.includes("ready to accept connections")) resolve();
      });
      child.once("exit", () => reject(new Error(`PostgreSQL did not start:\n${said}`)));
    });
  }

  /** Ends the server: `fast` breaks off all sessions, `immediate` is a crash. Resolves when it is gone. */
  async stop(how: "fast" | "immediate"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(how === "fast" ? "SIGINT" : "SIGQUIT");
    await gone;
  }

  /** The address of an empty database. */
  async createDatabase(): Promise<string> {
    const name = `d${++this.#databases}`;
    await this.query("postgres", `CREATE DATABASE ${name}`);
    return this.url(name);
  }

  url(database: string, port: number = this.port): string {
    return `postgres://${postgresUser}:${encodeURIComponent(postgresPassword)}@127.0.0.1:${port}/${database}`;
  }

  /** Runs SQL on a database, given by its name or address. */
  async query(database: string, sql: string): Promise<Record<string, unknown>[]> {
    const url = database.includes("://") ? database : this.url(database);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return ((await client.query(sql)) as { rows?: Record<string, unknown>[] }).rows ?? [];
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("immediate");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function findBinaries(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** The server refuses to run as root: then it runs as the user that its package made. */
function ownerOfServer(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
