/** Connections to PostgreSQL: how they are made, and trying again while the database is away. */
import pg from "pg";
import { LedgerUnavailableError, LedgerWriteError } from "./errors.ts";
import { isPassing } from "./postgres-errors.ts";
import type { LedgerStoreOptions } from "./store.ts";

/** What one statement of several gave. */
export interface StatementResult {
  readonly command: string;
  readonly rows: readonly (readonly unknown[])[];
}

/** A connection that belongs to its holder until it is given back. */
export class Connection {
  readonly #client: pg.ClientBase;

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  /** Runs one statement. Its rows come as arrays, with bigint columns as bigint. */
  async rows<R extends readonly unknown[]>(text: string, values: unknown[] = []): Promise<R[]> {
    const { rows } = await this.#client.query({ text, values, rowMode: "array" });
    return rows as unknown as R[];
  }

  /**
   * Runs statements without parameters, sent as one message, each with a snapshot of its own; gives the result of each.
   */
  async script(text: string): Promise<StatementResult[]> {
    const results = (await this.#client.query({ text, rowMode: "array" })) as unknown;
    return [results].flat() as StatementResult[];
  }

  /** Runs statements as `script` does; gives the last one's rows. */
  async lastRows<R extends readonly unknown[]>(text: string): Promise<R[]> {
    return (await this.script(text)).at(-1)?.rows as R[];
  }

  /** @throws when the server has rolled back instead */
  async commit(): Promise<void> {
    const { command } = await this.#client.query("COMMIT");
    if (command !== "COMMIT") throw new Error(`the server answered ${command} to COMMIT`);
  }
}

/** Connections for reads, at most so many; the posts have one of their own. */
const maxReaders = 3;

const firstPauseMs = 25;
const longestPauseMs = 1_000;

/** The database that answered is a standby, which takes no posts. */
class StandbyError extends Error {
  override readonly name = "StandbyError";
}

export class PostgresConnections {
  /** As errors and logs name it: without the password. */
  readonly place: string;
  readonly timeoutMs: number;
  readonly #writer: pg.Pool;
  readonly #readers: pg.Pool;
  readonly #log: NonNullable<LedgerStoreOptions["log"]>;
  #awaySinceMs: number | undefined;

  constructor(url: string, timeoutMs: number, log: NonNullable<LedgerStoreOptions["log"]>) {
    const config = configOf(url, timeoutMs);
    this.place = placeOf(config);
    this.timeoutMs = timeoutMs;
    this.#log = log;
    this.#writer = this.#pool({ ...config, max: 1 });
    this.#readers = this.#pool({ ...config, max: maxReaders });
  }

  /**
   * Runs `work` once. The connection is used again only when it succeeds.
   *
   * @throws what `work` throws, and connection errors; `isPassing` tells which are worth another try
   */
  async once<T>(use: "write" | "read", work: (connection: Connection) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    try {
      client = await (use === "write" ? this.#writer : this.#readers).connect();
      const result = await work(new Connection(client));
      client.release();
      this.#answered();
      return result;
    } catch (error) {
      client?.release(true);
      if (isPassing(error)) this.#failed(error as Error);
      throw error;
    }
  }

  /**
   * Runs `work` until it succeeds, for as long as its errors pass. Only for what may be done twice.
   *
   * @param deadlineMs on `performance.now()`
   * @throws {LedgerUnavailableError} at the deadline
   */
  async retried<T>(
    work: (connection: Connection) => Promise<T>,
    deadlineMs: number = performance.now() + this.timeoutMs,
  ): Promise<T> {
    const pause = new Pause();
    for (;;) {
      try {
        return await beforeDeadline(this.once("read", work), deadlineMs);
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (performance.now() + pause.nextMs >= deadlineMs) throw this.unavailable(false, error);
        await pause.wait();
      }
    }
  }

  unavailable(unknown: boolean, cause?: unknown): LedgerUnavailableError {
    const kept = unknown
      ? "whether the entry was kept is unknown: post it again with the same id"
      : "nothing was changed";
    const why = cause instanceof Error ? `: ${messageOf(cause)}` : "";
    return new LedgerUnavailableError(
      `the ledger's database ${this.place} did not answer in time; ${kept}${why}`,
      unknown,
      cause,
    );
  }

  /** The database refuses for good. */
  refused(cause: unknown): LedgerWriteError {
    if (cause instanceof LedgerWriteError) return cause;
    const why = this.textOf(cause);
    return new LedgerWriteError(`the ledger's store ${this.place} can't be written: ${why}`, { cause });
  }

  textOf(cause: unknown): string {
    return cause instanceof Error ? messageOf(cause) : String(cause);
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.end(), this.#readers.end()]);
  }

  #pool(config: pg.PoolConfig): pg.Pool {
    const pool = new pg.Pool({
      ...config,
      // The types know only hooks that return nothing; the pool waits for this one.
      onConnect: (client) => prepareConnection(client, this.timeoutMs) as unknown as undefined,
    });
    // A connection that breaks while nobody uses it: the pool makes another one when it is needed.
    pool.on("error", () => {});
    // One that breaks while it is used fails its query; without a listener it would end the thread as well.
    pool.on("connect", (client) => void client.on("error", () => {}));
    return pool;
  }

  #failed(error: Error): void {
    if (this.#awaySinceMs !== undefined) return;
    this.#awaySinceMs = performance.now();
    this.#log("warn", "the ledger's database does not answer; trying again", {
      database: this.place,
      error: messageOf(error),
    });
  }

  #answered(): void {
    if (this.#awaySinceMs === undefined) return;
    const awayMs = Math.round(performance.now() - this.#awaySinceMs);
    this.#awaySinceMs = undefined;
    this.#log("info", "the ledger's database answers again", { database: this.place, awayMs });
  }
}

/** Waits between tries: twice as long each time, and never in step with other replicas. */
export class Pause {
  #baseMs = firstPauseMs;
  nextMs: number = this.#shuffled();

  async wait(): Promise<void> {
    const ms = this.nextMs;
    this.#baseMs = Math.min(longestPauseMs, this.#baseMs * 2);
    this.nextMs = this.#shuffled();
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  #shuffled(): number {
    return this.#baseMs * (0.5 + Math.random() / 2);
  }
}

function configOf(url: string, timeoutMs: number): pg.PoolConfig {
  return {
    connectionString: url,
    fallback_application_name: "sluice",
    connectionTimeoutMillis: Math.min(3_000, timeoutMs),
    // When the server says nothing at all; its own `statement_timeout` comes first when it can.
    query_timeout: timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  } as pg.PoolConfig;
}

/** bigint columns as bigint; everything else as the client does. */
function typeParser(oid: number, format?: "text" | "binary"): unknown {
  if (oid === pg.types.builtins.INT8) return BigInt;
  return format === "binary" ? pg.types.getTypeParser(oid, "binary") : pg.types.getTypeParser(oid);
}

/** The client reads the address; it is not connected here. */
function placeOf(config: pg.PoolConfig): string {
  const { user, host, port, database } = new pg.Client(config);
  return `postgres://${user ?? ""}@${host}:${port}/${database ?? ""}`;
}

/**
 * What every connection is set to. UTF8, whatever the address says, for that is what is sent. Posts are sent in one
 * message and leave no transaction open; should a session stand still in one all the same, the server ends it.
 */
async function prepareConnection(client: pg.ClientBase, timeoutMs: number): Promise<void> {
  const { rows } = await client.query({
    text: `SELECT pg_is_in_recovery(),
      set_config('client_encoding', 'UTF8', false),
      set_config('statement_timeout', $1, false),
      set_config('idle_in_transaction_session_timeout', $2, false),
      CASE WHEN current_setting('synchronous_commit') = 'off'
        THEN set_config('synchronous_commit', 'on', false) END`,
    values: [String(Math.ceil(timeoutMs * 0.8)), String(Math.ceil(timeoutMs * 0.4))],
    rowMode: "array",
  });
  if (rows[0]?.[0] === true) throw new StandbyError("the server is a standby, which takes no posts");
}

async function beforeDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const leftMs = Math.max(0, deadlineMs - performance.now());
    timer = setTimeout(() => reject(new Error("no answer in time")), leftMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Several addresses that all failed are one error without a text. */
function messageOf(error: Error): string {
  if (error.message !== "") return error.message;
  const errors = (error as AggregateError).errors as Error[] | undefined;
  return errors?.map(({ message }) => message).join("; ") || error.name;
}
