/**
 * Logs much more than its buffer holds, on stdout; tells on stderr how long its event loop stood still, and again
 * when all was written. Started by create-logger.test.ts.
 */
import { createLogger } from "../../../src/log/create-logger.ts";

const turns = 200;
const linesPerTurn = 100;
const filler = "x".repeat(200);

const log = createLogger({ format: "json" });
let longestTurnMs = 0;
let last = performance.now();
let line = 0;

log.contract("listening", { port: 1 });
for (let turn = 0; turn < turns; turn++) {
  for (let i = 0; i < linesPerTurn; i++) {
    log.info("chatter", { line: line++, filler });
  }
  await new Promise(setImmediate);
  const now = performance.now();
  longestTurnMs = Math.max(longestTurnMs, now - last);
  last = now;
}
log.contract("stopped", { outcome: "clean" });
const flushedAtOnce = await log.flush(20);
process.stderr.write(
  `${JSON.stringify({ longestTurnMs, dropped: log.dropped, logged: line, flushedAtOnce })}\n`,
);
const flushed = await log.flush(20_000);
process.stderr.write(`${JSON.stringify({ flushed })}\n`);
