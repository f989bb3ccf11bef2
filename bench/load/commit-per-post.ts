/**
 * What a durable post costs when each is a commit of its own: node:sqlite, directly, no server between.
 * Usage: commit-per-post.ts FOLDER MILLISECONDS; prints {"rate":…}.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const [folder = ".", duration = "1000"] = process.argv.slice(2);
const db = new DatabaseSync(join(folder, "commit-per-post.db"));
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
db.exec(`CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, debit TEXT NOT NULL, credit TEXT NOT NULL,
  amount INTEGER NOT NULL, memo TEXT, hash BLOB NOT NULL)`);
const insert = db.prepare(
  "INSERT INTO entries (id, debit, credit, amount, memo, hash) VALUES (?, ?, ?, ?, ?, ?)",
);
const hash = new Uint8Array(32);
const base = Date.now();
const endMs = performance.now() + Number(duration);
const startMs = performance.now();
let posts = 0;
while (performance.now() < endMs) {
  insert.run(`bench-${base}-${posts}`, "till", "sales", 1, "benchmark", hash);
  posts++;
}
const seconds = (performance.now() - startMs) / 1000;
db.close();
process.stdout.write(`${JSON.stringify({ rate: posts / seconds })}\n`);
