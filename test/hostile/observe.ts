/** Sends hostile bytes and says, in the words of `row.ts`, what became of the connection. */
import { connect, type Socket } from "node:net";
import { constants, inflateSync } from "node:zlib";
import { decodeMessage } from "../support/binary.ts";
import { decodeTheader } from "../support/theader.ts";
import { packageCodec } from "../unit/wire/codec-support/package-codec.ts";
import type { Row } from "./row.ts";
import type { Protocol } from "./wire.ts";

/** The server's limit for what is not whole, in ms. */
export const partialFrameMs = 800;
/** How much later than its limit a connection may end: the server looks every 250 ms. */
export const graceMs = 1_000;
/** How long nothing may come from a connection that is to stay open, in ms. */
const openMs = 150;
/** What ends within this time was not ended by a limit of time, in ms. */
const atOnceMs = partialFrameMs - 50;

/** What a connection came to. */
export interface Observation {
  readonly what: string;
  readonly tookMs: number;
}

/** Connects and collects what comes. */
export class Probe {
  readonly socket: Socket;
  readonly connectedAtMs: number = performance.now();
  readonly #parts: Buffer[] = [];
  endedAtMs = 0;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.on("data", (part: Buffer) => {
      this.#parts.push(part);
      this.#wake();
    });
    const ended = (): void => {
      this.endedAtMs ||= performance.now();
      this.#wake();
    };
    this.socket.on("end", ended).on("close", ended).on("error", ended);
  }

  get received(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get ended(): boolean {
    return this.endedAtMs > 0;
  }

  /** Waits until something more has come, or so many ms have passed. */
  async more(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    if (!this.ended) await promise;
    clearTimeout(timer);
  }

  /** Waits for the end, at most so many ms. */
  async untilEnd(ms: number): Promise<void> {
    const untilMs = performance.now() + ms;
    while (!this.ended && performance.now() < untilMs) await this.more(untilMs - performance.now());
  }
}

/** Sends a row's bytes and waits for what is expected of it. */
export async function observe(port: number, row: Row): Promise<Observation> {
  const probe = new Probe(port);
  const fromMs = performance.now();
  probe.socket.write(row.bytes);
  if (row.end) probe.socket.end();
  const stays = row.expected.split(" ").at(-1) === "open";
  const replies = row.expected.replace(/ ?(open|closed|timeout)$/, "");
  const untilMs = fromMs + partialFrameMs + graceMs + 1_000;
  while (!probe.ended && performance.now() < untilMs) {
    if (stays && describeReplies(row, probe.received) === replies) break;
    await probe.more(untilMs - performance.now());
  }
  if (stays) await probe.untilEnd(openMs);
  const tookMs = (probe.ended ? probe.endedAtMs : performance.now()) - fromMs;
  const text = describeReplies(row, probe.received);
  const byHttp = row.reading === "http" || row.reading === "websocket";
  const end = !probe.ended ? "open" : tookMs < atOnceMs || byHttp ? "closed" : "timeout";
  probe.socket.destroy();
  return { what: text === "" ? end : `${text} ${end}`, tookMs };
}

function describeReplies(row: Row, bytes: Buffer): string {
  if (bytes.length === 0) return "";
  const reading =
    bytes.toString("latin1", 0, 5) === "HTTP/" && row.reading !== "websocket" ? "http" : row.reading;
  switch (reading) {
    case "http":
      if (bytes[0] === 0) return "http2";
      return `http ${/^HTTP\/1\.1 (\d+)/.exec(bytes.toString("latin1"))?.[1]}`;
    case "websocket":
      return describeWebSocket(bytes);
    case "zlib":
      return describeMessages(inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }), true, "binary");
    case "theader":
      return describeTheader(bytes);
    default:
      if (bytes[0] === 0x15) return "tls";
      return describeMessages(bytes, row.name.startsWith("framed"), reading);
  }
}

function describeWebSocket(bytes: Buffer): string {
  const at = bytes.indexOf("\r\n\r\n") + 4;
  if (at < 4 || bytes.length < at + 4) return "";
  return bytes[at] === 0x88 ? `ws ${bytes.readUInt16BE(at + 2)}` : "reply";
}

function describeTheader(bytes: Buffer): string {
  const told: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const frame = decodeTheader(bytes, at);
    if (frame === undefined) return `${told.join(" ")} half`;
    told.push(describeMessage(frame.payload, "binary").text);
    at += frame.length;
  }
  return told.join(" ");
}

function describeMessages(bytes: Buffer, framed: boolean, protocol: Protocol): string {
  const told: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = framed ? 4 : 0;
    const end = framed ? at + 4 + bytes.readInt32BE(at) : bytes.length;
    if (end > bytes.length) return `${told.join(" ")} half`;
    const { text, length } = describeMessage(bytes.subarray(at + head, end), protocol);
    told.push(text);
    at = framed ? end : at + length;
  }
  return told.join(" ");
}

function describeMessage(message: Buffer, protocol: Protocol): { text: string; length: number } {
  if (protocol === "binary") {
    const read = decodeMessage(message);
    if (read === undefined) return { text: "half", length: message.length };
    return { text: read.type === 2 ? "reply" : `exception ${read.body[2]}`, length: read.length };
  }
  const { length } = message;
  if (protocol === "json") {
    const [, , type, , body] = JSON.parse(message.toString()) as [
      number,
      string,
      number,
      number,
      Record<string, { i32?: number }>,
    ];
    return { text: type === 2 ? "reply" : `exception ${body["2"]?.i32}`, length };
  }
  const input = packageCodec("compact").reader(message);
  const { mtype } = input.readMessageBegin();
  if (mtype === 2) return { text: "reply", length };
  input.readStructBegin();
  input.readFieldBegin();
  input.readString();
  input.readFieldBegin();
  return { text: `exception ${input.readI32()}`, length };
}
