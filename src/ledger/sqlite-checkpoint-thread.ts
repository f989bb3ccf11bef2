/** The thread that moves what was committed from the WAL into the database file. Ends by itself when told to. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointResult } from "./sqlite-checkpoints.ts";

const port = parentPort;
if (port === null)
  throw new Error("sqlite-checkpoint-thread is started by SqliteCheckpoints, as a worker thread");

const db = new DatabaseSync(workerData as string);
db.exec("PRAGMA synchronous = FULL");
const checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");

port.on("message", (message: "checkpoint" | "close") => {
  if (message === "close") {
    db.close();
    port.close();
    return;
  }
  const { log, checkpointed } = checkpoint.get() as { log: number; checkpointed: number };
  port.postMessage({ pages: log, moved: checkpointed } satisfies CheckpointResult);
});
