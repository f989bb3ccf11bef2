/** Each protocol and transport over a socket, with what is sent torn apart at every byte, and two messages in one piece. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { constants, createDeflate, createInflate, type Deflate } from "node:zlib";
import { type ProtocolWriter, Type } from "../../../src/wire/protocol.ts";
import type { ProtocolName } from "../../../src/wire/protocol-names.ts";
import { encodeCall, frame } from "../../support/binary.ts";
import { connectRaw, type RawClient } from "../../support/raw-client.ts";
import { fixture, type ServerProcess, startServer, temporaryFolder } from "../../support/server-process.ts";
import { call, protocols, theader } from "../../unit/wire/cutter-support.ts";
import { makeCertificate, noOpenssl } from "../net/certificates.ts";
import { requestBytes } from "../net/http-client.ts";

const texts = ["first: ü", "second: 𝄞"];

/** A client's side of a connection. */
interface Form {
  readonly name: string;
  /** Sent before the messages, and answered. */
  readonly greeting?: Buffer;
  readonly tls?: boolean;
  /** What is sent for a message. */
  wrap(message: Buffer): Buffer;
  /** The call `echo` with a text, in the protocol that is spoken. */
  encode(seqid: number, text: string): Buffer;
  readonly compressed?: boolean;
}

const protocolIds: Readonly<Record<ProtocolName, number>> = { binary: 0, json: 1, compact: 2 };
const plain = (message: Buffer): Buffer => message;

function encoderOf(protocol: ProtocolName): Form["encode"] {
  return (seqid, text) =>
    call(protocol, "echo", seqid, (output: ProtocolWriter) => {
      output.writeFieldBegin("text", Type.STRING, 1);
      output.writeString(text);
      output.writeFieldEnd();
    });
}

/** A message as it was before versions: its name comes first, its type behind it. */
function encodeOld(seqid: number, text: string): Buffer {
  const strict = encodeCall("echo", seqid, { 1: { string: text } });
  // Strict: version and type, name, the rest. Old: name, type, the rest.
  const name = strict.subarray(4, 4 + 4 + "echo".length);
  return Buffer.concat([name, strict.subarray(3, 4), strict.subarray(4 + name.length)]);
}

const binary = encoderOf("binary");
const forms: readonly Form[] = [
  ...protocols.flatMap((protocol): Form[] => {
    const encode = encoderOf(protocol);
    const header = { protocolId: protocolIds[protocol], headers: { key: "value" } };
    return [
      { name: `unframed ${protocol}`, encode, wrap: plain },
      { name: `framed ${protocol}`, encode, wrap: frame },
      { name: `THeader with ${protocol}`, encode, wrap: (message) => theader(message, header) },
      { name: `zlib around ${protocol}`, encode, wrap: plain, compressed: true },
      { name: `HTTP with ${protocol}`, encode, wrap: (message) => requestBytes(message) },
      { name: `WebSocket with ${protocol}`, encode, wrap: webSocketFrame, greeting: upgrade() },
    ];
  }),
  { name: "unframed old binary", encode: encodeOld, wrap: plain },
  { name: "framed old binary", encode: encodeOld, wrap: frame },
  { name: "framed binary in zlib", encode: binary, wrap: frame, compressed: true },
  { name: "framed binary in TLS", encode: binary, wrap: frame, tls: true },
];

function upgrade(): Buffer {
  const lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const head = [
    "GET / HTTP/1.1",
    "Host: 127.0.0.1",
    ...lines,
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "",
    "",
  ];
  return Buffer.from(head.join("\r\n"));
}

/** A binary message of a client, with a mask that changes nothing. */
function webSocketFrame(message: Buffer): Buffer {
  assert.ok(message.length < 126);
  return Buffer.concat([Buffer.from([0x82, 0x80 | message.length, 0, 0, 0, 0]), message]);
}

/** A connection that keeps what it receives, and can wait for it. */
class Stream {
  readonly #socket: Socket;
  readonly #deflate: Deflate | undefined;
  #received = "";
  #wake: () => void = () => {};

  constructor(socket: Socket, compressed: boolean) {
    this.#socket = socket;
    const source = compressed ? socket.pipe(createInflate()) : socket;
    this.#deflate = compressed ? createDeflate() : undefined;
    source.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  /** The bytes that go on the wire for these. */
  async encode(bytes: Buffer): Promise<Buffer> {
    const deflate = this.#deflate;
    if (deflate === undefined) return bytes;
    deflate.write(bytes);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    return deflate.read() as Buffer;
  }

  /** Writes, and returns when the kernel has it. */
  async write(bytes: Buffer): Promise<void> {
    await new Promise((resolve) => this.#socket.write(bytes, resolve));
  }

  /** Takes what has come, when the texts are in it, in this order. */
  async take(wanted: readonly string[]): Promise<string> {
    for (;;) {
      const ends = wanted.map((text) => this.#received.indexOf(text));
      if (ends.every((end) => end >= 0)) {
        assert.deepEqual(
          ends,
          ends.toSorted((a, b) => a - b),
        );
        const taken = this.#received;
        this.#received = "";
        return taken.replaceAll(/^Date: .*$/gm, "");
      }
      assert.ok(!this.#socket.destroyed, `closed; received: ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function open(
  t: TestContext,
  server: ServerProcess,
  form: Form,
  ca: Buffer | undefined,
): Promise<Stream> {
  const where = { host: "127.0.0.1", port: server.port, noDelay: true };
  const socket = form.tls === true ? connectTls({ ...where, ca: ca! }) : connect(where);
  t.after(() => socket.destroy());
  await once(socket, form.tls === true ? "secureConnect" : "connect");
  socket.setNoDelay(true);
  const stream = new Stream(socket, form.compressed ?? false);
  if (form.greeting !== undefined) {
    await stream.write(form.greeting);
    await stream.take(["101 Switching Protocols", "\r\n\r\n"]);
  }
  return stream;
}

/** Returns when the server has read what the kernel had before: it answers a call that came later. */
async function barrier(other: RawClient): Promise<void> {
  await other.call("echo", { 1: { string: "" } });
}

test("messages are answered wherever what is sent is torn apart, two in one piece too", {
  skip: noOpenssl ?? false,
}, async (t) => {
  const { certFile, keyFile, cert } = makeCertificate(temporaryFolder(t), "server");
  const args = ["--workers", "1", "--tls-cert", certFile, "--tls-key", keyFile];
  const server = await startServer(t, { modules: [fixture("probe")], args });
  const other = await connectRaw(t, { connect: { port: server.port } });
  for (const form of forms) {
    await t.test(form.name, async (t) => {
      const stream = await open(t, server, form, cert);
      const messages = texts.map((text, at) => form.wrap(form.encode(at + 1, text)));
      const wanted = texts.map((text) => Buffer.from(encodedText(form, text)).toString("latin1"));
      await stream.write(await stream.encode(Buffer.concat(messages)));
      const whole = await stream.take(wanted);
      for (let at = 1; ; at++) {
        const bytes = await stream.encode(Buffer.concat(messages));
        if (at >= bytes.length) break;
        await stream.write(bytes.subarray(0, at));
        await barrier(other);
        await stream.write(bytes.subarray(at));
        assert.equal(await stream.take(wanted), whole, `split at ${at} of ${bytes.length}`);
      }
    });
  }
  const { lines } = server;
  assert.equal(lines.filter((line) => line["level"] === "warn").length, 0);
});

/** A text as it is within a reply. */
function encodedText({ name }: Form, text: string): string {
  return name.includes("json") ? JSON.stringify(text) : text;
}
