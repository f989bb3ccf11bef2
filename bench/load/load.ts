/**
 * The load generator where no C compiler is present. Same interface as load.c (see generator.ts); it takes
 * about ten times the CPU, so rates near its own limit say little about the server.
 */
import { readFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { createHistogram } from "node:perf_hooks";
import { parseArgs } from "node:util";
import type { LoadReport } from "./generator.ts";

const headerBytes = 24;
const fullCompareEvery = 64;
const tailMs = 2000;

const number = { type: "string", default: "0" } as const;
const { values } = parseArgs({
  options: {
    port: number,
    connections: number,
    depth: number,
    rate: number,
    requests: { type: "string", default: "" },
    replies: { type: "string", default: "" },
    sample: { type: "string" },
    "warmup-ms": number,
    "measure-ms": number,
    "compare-bytes": number,
    "counter-offset": { type: "string", default: "-1" },
    "counter-digits": number,
    "counter-start": number,
  },
});
const depth = Number(values.depth);
const connectionCount = Number(values.connections);
const counterOffset = Number(values["counter-offset"]);
const counterDigits = Number(values["counter-digits"]);
let counter = Number(values["counter-start"]);
const replies = readFileSync(values.replies);
const replyBytes = replies.length / depth;
const compareBytes = Number(values["compare-bytes"]) || replyBytes;
/** Between two calls of one connection, in ns; 0 for a closed loop. */
const intervalNs = Number(values.rate) > 0 ? (1e9 * connectionCount) / Number(values.rate) : 0;

const nowNs = () => Number(process.hrtime.bigint());
const startNs = nowNs();
let latencies = createHistogram({ figures: 3 });
let totalCalls = 0;
let outstanding = 0;
let stopping = false;
const errors = { mismatch: 0, closed: 0, unanswered: 0 };

interface Connection {
  readonly socket: Socket;
  readonly requests: Buffer;
  readonly sentAtNs: Float64Array;
  inFlight: number;
  sendSlot: number;
  receiveSlot: number;
  rest: Buffer;
  dueNs: number;
}

function send(connection: Connection, count: number, sinceNs: number): void {
  const { requests, sentAtNs } = connection;
  const requestBytes = requests.length / depth;
  for (let left = count; left > 0; ) {
    const from = connection.sendSlot;
    const run = Math.min(left, depth - from);
    for (let slot = from; slot < from + run; slot++) {
      sentAtNs[slot] = sinceNs;
      if (counterOffset >= 0) {
        requests.write(String(counter++).padStart(counterDigits, "0"), slot * requestBytes + counterOffset);
      }
    }
    const bytes = requests.subarray(from * requestBytes, (from + run) * requestBytes);
    // A numbered request is written again while the socket may still hold the old bytes: hand over a copy.
    connection.socket.write(counterOffset >= 0 ? Buffer.from(bytes) : bytes);
    connection.sendSlot = (from + run) % depth;
    left -= run;
  }
  connection.inFlight += count;
  outstanding += count;
}

function takeReply(connection: Connection, reply: Buffer, atNs: number): void {
  const slot = connection.receiveSlot;
  const expected = replies.subarray(slot * replyBytes, (slot + 1) * replyBytes);
  const wanted = totalCalls % fullCompareEvery === 0 ? replyBytes : headerBytes;
  const compared = Math.min(wanted, compareBytes, replyBytes, reply.length);
  if (reply.length !== replyBytes || reply.compare(expected, 0, compared, 0, compared) !== 0)
    errors.mismatch++;
  latencies.record(Math.max(1, Math.round(atNs - connection.sentAtNs[slot]!)));
  connection.receiveSlot = (slot + 1) % depth;
  connection.inFlight--;
  outstanding--;
  totalCalls++;
}

function receive(connection: Connection, chunk: Buffer): void {
  const atNs = nowNs();
  const bytes = connection.rest.length > 0 ? Buffer.concat([connection.rest, chunk]) : chunk;
  let at = 0;
  let taken = 0;
  while (bytes.length - at >= 4) {
    const length = 4 + bytes.readUInt32BE(at);
    if (bytes.length - at < length) break;
    takeReply(connection, bytes.subarray(at, at + length), atNs);
    at += length;
    taken++;
  }
  connection.rest = bytes.subarray(at);
  if (stopping) return;
  if (intervalNs === 0) {
    if (taken > 0) send(connection, taken, atNs);
    return;
  }
  for (; connection.dueNs <= atNs && connection.inFlight < depth; connection.dueNs += intervalNs) {
    send(connection, 1, connection.dueNs);
  }
}

function connect(index: number): Connection {
  const socket = createConnection({ host: "127.0.0.1", port: Number(values.port), noDelay: true });
  const connection: Connection = {
    socket,
    requests: readFileSync(values.requests),
    sentAtNs: new Float64Array(depth),
    inFlight: 0,
    sendSlot: 0,
    receiveSlot: 0,
    rest: Buffer.alloc(0),
    dueNs: startNs + (intervalNs * index) / connectionCount,
  };
  socket.on("data", (chunk) => receive(connection, chunk));
  socket.on("error", () => {});
  socket.on("close", () => {
    if (done) return;
    errors.closed++;
    outstanding -= connection.inFlight;
    connection.inFlight = 0;
  });
  if (intervalNs === 0) send(connection, depth, startNs);
  return connection;
}

let done = false;
const connections = Array.from({ length: connectionCount }, (_, index) => connect(index));
if (intervalNs > 0) {
  setInterval(() => {
    const atNs = nowNs();
    for (const connection of connections) {
      while (!stopping && connection.dueNs <= atNs && connection.inFlight < depth) {
        send(connection, 1, atNs);
        connection.dueNs += intervalNs;
      }
    }
  }, 1).unref();
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sample = () => (values.sample ? readFileSync(values.sample, "utf8").trim() : "");
await sleep(Number(values["warmup-ms"]));
latencies = createHistogram({ figures: 3 });
const callsBefore = totalCalls;
const cpuBefore = process.cpuUsage();
const fromNs = nowNs();
const before = sample();
await sleep(Number(values["measure-ms"]));
const seconds = (nowNs() - fromNs) / 1e9;
const calls = totalCalls - callsBefore;
const cpu = process.cpuUsage(cpuBefore);
const measured = latencies;
const after = sample();
latencies = createHistogram();

stopping = true;
for (const endNs = nowNs(); outstanding > 0 && nowNs() - endNs < tailMs * 1e6; ) await sleep(5);
done = true;
errors.unanswered = outstanding;
const report: LoadReport = {
  samples: [before, after],
  generator: "node",
  seconds,
  calls,
  rate: calls / seconds,
  p50Us: measured.percentile(50) / 1e3,
  p90Us: measured.percentile(90) / 1e3,
  p99Us: measured.percentile(99) / 1e3,
  p999Us: measured.percentile(99.9) / 1e3,
  maxUs: measured.max / 1e3,
  generatorCpuUs: cpu.user + cpu.system,
  totalCalls,
  errors,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
for (const { socket } of connections) socket.destroy();
