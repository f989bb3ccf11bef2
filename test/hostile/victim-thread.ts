/**
 * A client that calls all the time, in a thread of its own, and notes how long each call took. Beside it a timer shows
 * how late this thread itself was: what coincides with that says nothing about the server.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { decodeMessage, encodeCall, frame } from "../support/binary.ts";
import type { VictimCall } from "./victim.ts";

const { port, method } = workerData as { port: number; method: string };
/** A call is due so often, answered or not: one that waits makes those behind it late, and that counts. */
const everyMs = 2;
/** How often the control looks, in ms. */
const controlMs = 2;

let calls: VictimCall[] = [];
let stopping = false;
/** How late the control's timer was at most, since the call began. */
let lateMs = 0;

let dueAtMs = performance.now() + controlMs;
setInterval(() => {
  const nowMs = performance.now();
  lateMs = Math.max(lateMs, nowMs - dueAtMs);
  dueAtMs = nowMs + controlMs;
}, controlMs).unref();

parentPort!.on("message", (message: string) => {
  if (message === "take") {
    parentPort!.postMessage(calls);
    calls = [];
  } else stopping = true;
});

const socket = connect({ port, host: "127.0.0.1", noDelay: true });
let received: Buffer = Buffer.alloc(0);
let wake: () => void = () => {};
let ended: string | undefined;
socket.on("data", (chunk: Buffer) => {
  received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
  wake();
});
socket.on("error", (error) => {
  ended = error.message;
});
socket.on("close", () => {
  ended ??= "the connection was closed";
  wake();
});
await once(socket, "connect");
parentPort!.postMessage([]);

let callDueAtMs = performance.now();
for (let seqid = 1; !stopping; seqid++) {
  callDueAtMs += everyMs;
  const earlyMs = callDueAtMs - performance.now();
  if (earlyMs > 0) await sleep(earlyMs);
  // This thread's own lateness is not the server's.
  const fromMs = Math.min(performance.now(), callDueAtMs + Math.min(lateMs, everyMs));
  lateMs = 0;
  socket.write(frame(encodeCall(method, seqid, { 1: { i32: seqid & 0xffff }, 2: { i32: 1 } })));
  while (!(received.length >= 4 && received.length >= 4 + received.readInt32BE()) && ended === undefined) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  // The control may be due right now, and later than the reply because of that.
  await new Promise((resolve) => setImmediate(resolve));
  const tookMs = performance.now() - fromMs;
  const reply = ended === undefined ? decodeMessage(received, 4) : undefined;
  received = received.subarray(reply === undefined ? received.length : 4 + reply.length);
  const wrong = reply === undefined || reply.type !== 2 || reply.body[0] !== (seqid & 0xffff) + 1;
  const error = wrong ? String(ended ?? JSON.stringify(reply?.body, (_, value) => String(value))) : undefined;
  const text = reply?.type === 3 ? String(reply.body[1]) : undefined;
  const controlLateMs = Math.max(lateMs, performance.now() - dueAtMs);
  calls.push({ tookMs, controlLateMs, ...(wrong ? { error: text ?? error! } : {}) });
  if (ended !== undefined) break;
}
socket.destroy();
parentPort!.close();
