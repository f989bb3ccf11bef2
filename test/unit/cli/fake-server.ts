/** A server of `everything.thrift` that knows bytes only, so that nothing but the client's own code is tested. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A running fake. */
export interface FakeServer {
  readonly port: number;
  /** What `note` was called with. */
  readonly noted: readonly string[];
  close(): void;
}

const call = 1;
const reply = 2;
const exception = 3;

/** Starts it on a free port. */
export async function startFakeServer(): Promise<FakeServer> {
  const noted: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        answer(socket, bytes, noted);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, noted, close: () => void server.close() };
}

/** Frame: size, version with message type, name, seqid, arguments. */
function answer(socket: Socket, frame: Buffer, noted: string[]): void {
  const nameEnd = 12 + frame.readInt32BE(8);
  const name = frame.toString("utf8", 12, nameEnd);
  const body = frame.subarray(nameEnd + 4);
  const send = (type: number, result: Buffer): void => {
    const head = Buffer.from(frame.subarray(4, nameEnd + 4));
    head[3] = type;
    const size = Buffer.alloc(4);
    size.writeInt32BE(head.length + result.length);
    socket.write(Buffer.concat([size, head, result]));
  };
  const result = resultOf(name, body, frame[7]!, noted);
  if (result !== undefined) {
    send(...result);
  }
}

/** The message type and the result struct, or none for a oneway call. */
function resultOf(name: string, body: Buffer, type: number, noted: string[]): [number, Buffer] | undefined {
  switch (name) {
    case "echo":
    case "inners":
    case "rows":
    case "colors":
    case "mixes":
    case "shorten":
    case "paint": {
      // The argument, field 1, is the result, field 0.
      const result = Buffer.from(body);
      result[2] = 0;
      return [reply, result];
    }
    case "add":
      return [reply, join(hex("0a 0000"), i64(body.readBigInt64BE(3) + body.readBigInt64BE(14)), hex("00"))];
    case "refuse":
      return [reply, join(hex("0c 0001 0b 0001"), text("not today"), hex("0a 0002"), i64(7n), hex("00 00"))];
    case "break_":
      return [exception, join(hex("0b 0001"), text("broken"), hex("08 0002 00000006 00"))];
    case "vanish":
      return [exception, join(hex("0b 0001"), text("who?"), hex("08 0002 00000001 00"))];
    case "Everything:vanish":
      return [reply, hex("00")];
    case "note":
      noted.push(body.toString("utf8", 7, body.length - 1));
      return type === call ? [exception, hex("00")] : undefined;
    default:
      return undefined;
  }
}

function join(...parts: Buffer[]): Buffer {
  return Buffer.concat(parts);
}

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

function i64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(Buffer.byteLength(value));
  return Buffer.concat([size, Buffer.from(value)]);
}
