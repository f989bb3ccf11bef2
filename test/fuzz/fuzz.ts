/**
 * Fuzzes the server with mutated messages, long.
 *
 *   node --conditions=sluice-source test/fuzz/fuzz.ts [--seed N] [--messages M] [--from K] [--seconds S] [--server]
 *
 * A finding is printed with seed and number, and kept in `test/fuzz/corpus`. `--server` sends the messages to a server
 * process instead, over sockets.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { Finding, Fuzzer } from "./fuzz-messages.ts";
import { fuzzServer } from "./fuzz-server.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    messages: { type: "string", default: "1000000" },
    from: { type: "string", default: "0" },
    seconds: { type: "string", default: "86400" },
    server: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const from = Number(values.from);
const messages = Number(values.messages);

if (values.server) {
  console.log(JSON.stringify(await fuzzServer({ seed, messages, seconds: Number(values.seconds) })));
} else {
  Error.stackTraceLimit = 4;
  fuzz();
}

function fuzz(): void {
  const fuzzer = new Fuzzer(seed);
  const at = watch();
  const startMs = performance.now();
  let number = from;
  try {
    for (; number < from + messages; number++) {
      Atomics.store(at, 0, number);
      fuzzer.run(number);
      if (number % 1024 === 0 && performance.now() - startMs > Number(values.seconds) * 1000) break;
    }
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    const file = new URL(`corpus/seed-${seed}-${number}.bin`, import.meta.url);
    writeFileSync(file, error.bytes);
    console.error(`--seed ${seed} --from ${number}: ${error.message}\nkept in ${file.pathname}`);
    process.exit(1);
  }
  const tookS = (performance.now() - startMs) / 1000;
  const { longestMs, longestAt, ...result } = fuzzer.result;
  console.log(
    `seed ${seed}, messages ${from} to ${number - 1}: no finding in ${tookS.toFixed(1)} s (${Math.round(result.messages / tookS)}/s), ` +
      `longest ${longestMs.toFixed(1)} ms (message ${longestAt}): ${JSON.stringify(result)}`,
  );
  process.exit(0);
}

/** A thread that sees when nothing goes on any more, and says at which message. */
function watch(): Int32Array {
  const at = new Int32Array(new SharedArrayBuffer(4));
  const code = `
    const { workerData } = require("node:worker_threads");
    let seen = -1, since = 0;
    setInterval(() => {
      const now = Atomics.load(workerData, 0);
      since = now === seen ? since + 1 : 0;
      seen = now;
      if (since < 10) return;
      require("node:fs").writeSync(2, "hangs at --seed ${seed} --from " + now + "\\n");
      process.kill(process.pid, "SIGKILL");
    }, 500);`;
  new Worker(code, { eval: true, workerData: at }).unref();
  return at;
}
