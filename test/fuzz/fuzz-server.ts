/** Mutated messages against a server process, over every transport that has sockets in it. */
import { once } from "node:events";
import { connect } from "node:net";
import { constants, deflateSync, inflateSync } from "node:zlib";
import { createScope } from "../fault/scope.ts";
import { Random } from "../oracle/random.ts";
import { statusOf } from "../support/admin.ts";
import { decodeMessage } from "../support/binary.ts";
import { fixture, startServer } from "../support/server-process.ts";
import { anyCall, anyForm, type Form, type ValidCall } from "./messages.ts";
import { mutate } from "./mutate.ts";
import { typeOfCall } from "./reply-check.ts";

export interface ServerFuzzOptions {
  readonly seed: number;
  readonly messages: number;
  /** After this time no more are sent. */
  readonly seconds: number;
}

const atOnce = 16;
/** Longer than the server's own limits, and what may go by between FIN and FIN. */
const endMs = 3_000;
const carriers = ["plain", "plain", "zlib-stream", "http", "websocket"] as const;
type Carrier = (typeof carriers)[number];

/** @throws at the first connection that does not end in time or gets what is no reply, and when the server ends */
export async function fuzzServer(options: ServerFuzzOptions): Promise<Record<string, unknown>> {
  await using scope = createScope();
  const server = await startServer(scope.t, {
    modules: [fixture("kinds")],
    args: ["--partial-frame-timeout", "500ms", "--max-frame-size", "1MiB", "--max-message-size", "1MiB"],
  });
  const untilMs = performance.now() + Math.min(options.seconds, 50) * 1000;
  const repliesTo: Record<string, number> = {};
  let next = 0;
  let longestMs = 0;
  const client = async (): Promise<void> => {
    while (next < options.messages && performance.now() < untilMs) {
      const number = next++;
      const { carrier, bytes } = makeInput(options.seed, number);
      const fromMs = performance.now();
      const answer = await send(server.port, bytes).catch((error: unknown) => {
        throw new Error(
          `--seed ${options.seed} message ${number} (${carrier}): ${error}: ${bytes.toString("hex")}`,
        );
      });
      longestMs = Math.max(longestMs, performance.now() - fromMs);
      try {
        const replies = checkAnswer(answer);
        repliesTo[carrier] = (repliesTo[carrier] ?? 0) + replies;
      } catch (error) {
        const [sent, got] = [bytes, answer].map((part) => part.toString("hex"));
        throw new Error(
          `--seed ${options.seed} message ${number} (${carrier}): ${error}\nsent ${sent}\ngot ${got}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  const { calls, limits } = await statusOf(server);
  const { completed, failed, rejected, expired, orphaned, oneway, cut, owed, received } = calls;
  const sum = completed + failed + rejected + expired + orphaned + oneway + cut + owed;
  if (received !== sum || owed !== 0) throw new Error(`received ${received}, outcomes ${sum}, owed ${owed}`);
  server.signal();
  const { code } = await server.ended;
  if (code !== 0) throw new Error(`exit ${code}`);
  return {
    messages: next,
    longestMs: Math.round(longestMs),
    repliesTo,
    received,
    malformed: limits.malformed,
  };
}

function makeInput(seed: number, number: number): { carrier: Carrier; bytes: Buffer } {
  const random = new Random(seed * 1_000_003 + number);
  const carrier = random.pick(carriers);
  const form = anyForm(random);
  const [call, other] = [harmlessCall(random, form), harmlessCall(random, form)];
  const late = random.chance(0.5);
  const inner = late && carrier !== "plain" ? mutate(random, call.bytes, other.bytes) : call.bytes;
  const carried = carry(carrier, inner);
  return {
    carrier,
    bytes: late && carrier !== "plain" ? carried : mutate(random, carried, carry(carrier, other.bytes)),
  };
}

/** Not one of the methods that do for as long, or with as much, as a mutated number says. */
function harmlessCall(random: Random, form: Form): ValidCall {
  for (;;) {
    const call = anyCall(random, form);
    if (call.name !== "sleep" && call.name !== "blob") return call;
  }
}

function carry(carrier: Carrier, message: Buffer): Buffer {
  switch (carrier) {
    case "plain":
      return message;
    case "zlib-stream":
      return deflateSync(message);
    case "http": {
      const head = `POST / HTTP/1.1\r\nContent-Type: application/x-thrift\r\nContent-Length: ${message.length}\r\n\r\n`;
      return Buffer.concat([Buffer.from(head), message]);
    }
    case "websocket": {
      const head = `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
      const long = message.length > 125;
      const frame = Buffer.alloc(long ? 8 : 6);
      frame[0] = 0x82;
      frame[1] = 0x80 | (long ? 126 : message.length);
      if (long) frame.writeUInt16BE(Math.min(message.length, 65535), 2);
      return Buffer.concat([Buffer.from(head), frame, message]);
    }
  }
}

const http2Settings = Buffer.from("000000040000000000", "hex");

/** Sends bytes and FIN, and resolves with all that came until the server's FIN or reset. */
async function send(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.setTimeout(endMs, () => socket.destroy(new Error("it is not closed in time")));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on("end", resolve);
  socket.on("error", (error: NodeJS.ErrnoException) =>
    error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve() : reject(error),
  );
  await Promise.race([once(socket, "connect"), promise]);
  socket.end(bytes);
  await promise;
  socket.destroy();
  return Buffer.concat(parts);
}

/**
 * Returns how many replies there are. What the mutation made of the transport, the answer shows too.
 *
 * @throws when something else came than replies
 */
function checkAnswer(answer: Buffer): number {
  if (answer.length === 0 || answer.subarray(0, http2Settings.length).equals(http2Settings)) return 0;
  if (/^HTTP\/1\.1 \d{3} /.test(answer.toString("latin1", 0, 20))) return 1;
  if (answer[0] === 0x78) return checkAnswer(inflateSync(answer, { finishFlush: constants.Z_SYNC_FLUSH }));
  return answer[0] === 0 ? checkFrames(answer) : checkUnframed(answer);
}

function checkFrames(answer: Buffer): number {
  let replies = 0;
  for (let at = 0; at < answer.length; replies++) {
    const end = at + 4 + answer.readInt32BE(at);
    const message = answer.subarray(at + 4, end);
    if (end > answer.length) throw new Error("half a frame");
    const first = message[0];
    if (first !== 0x0f) checkType(typeOfCall(message, first === 0x82 ? 1 : first === 0x5b ? 2 : 0));
    at = end;
  }
  return replies;
}

function checkUnframed(answer: Buffer): number {
  if (answer[0] !== 0x80) {
    checkType(typeOfCall(answer, answer[0] === 0x82 ? 1 : 2));
    return 1;
  }
  let replies = 0;
  for (let at = 0; at < answer.length; replies++) {
    const message = decodeMessage(answer, at);
    if (message === undefined) throw new Error("half a reply");
    checkType(message.type);
    at += message.length;
  }
  return replies;
}

function checkType(type: number): void {
  if (type !== 2 && type !== 3) throw new Error(`a message of type ${type}`);
}
