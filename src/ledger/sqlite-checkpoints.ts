/**
 * When the WAL is moved into the database file. SQLite would do that within the commit that makes the WAL too long, and
 * its posts would wait for it; here a thread of its own does it beside the commits.
 */
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import type { LedgerStoreOptions } from "./store.ts";

/** What a checkpoint found: pages in the WAL, and how many of them are in the database now. */
export interface CheckpointResult {
  readonly pages: number;
  readonly moved: number;
}

/** After so many commits a checkpoint is due: each writes at least three pages. */
const commitsPerCheckpoint = 256;

/**
 * A WAL begins anew only when all of it was moved at the moment of a commit, and a thread never quite catches up with
 * commits without a break. So when it has become this long, the writer moves the rest itself, which is little: 16 MiB.
 */
const longWalPages = 4_096;

/** How long the thread may take to end, in ms. */
const endWithinMs = 2_000;

export class SqliteCheckpoints {
  readonly #db: DatabaseSync;
  readonly #log: NonNullable<LedgerStoreOptions["log"]>;
  readonly #path: string;
  #worker: Worker | undefined;
  #commits = 0;
  #busy = false;

  /** @param path of the database file; ":memory:" has no WAL */
  constructor(db: DatabaseSync, path: string, log: NonNullable<LedgerStoreOptions["log"]>) {
    this.#db = db;
    this.#path = path;
    this.#log = log;
    if (path !== ":memory:") db.exec("PRAGMA wal_autocheckpoint = 0");
  }

  /** To be told of every commit, and of those that write as much as many. */
  committed(weight: number = 1): void {
    this.#commits += weight;
    if (this.#commits < commitsPerCheckpoint || this.#busy || this.#path === ":memory:") return;
    this.#commits = 0;
    this.#busy = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage("checkpoint");
  }

  /** Resolves when the thread has given its connection back, or does not within 2 s. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, endWithinMs);
      worker.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
      worker.postMessage("close");
    });
  }

  #start(): Worker {
    const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
    const url = new URL(`./sqlite-checkpoint-thread.${extension}`, import.meta.url);
    const worker = new Worker(url, { name: "sluice-checkpoint", workerData: this.#path });
    worker.on("message", (result: CheckpointResult) => this.#done(result));
    worker.on("error", (error) => this.#failed(error));
    worker.unref();
    return worker;
  }

  #done({ pages }: CheckpointResult): void {
    this.#busy = false;
    if (this.#worker === undefined || pages < longWalPages) return;
    try {
      this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (error) {
      this.#log("warn", "a checkpoint of the ledger failed; the next one tries again", {
        error: (error as Error).message,
      });
    }
  }

  /** Without the thread the commits do it, as SQLite does by itself. */
  #failed(error: Error): void {
    if (this.#worker === undefined) return;
    this.#log("warn", "checkpoints of the ledger go on without a thread of their own", {
      error: error.message,
    });
    // Busy for ever: none is asked for again.
    this.#worker = undefined;
    this.#db.exec("PRAGMA wal_autocheckpoint = 1000");
  }
}
