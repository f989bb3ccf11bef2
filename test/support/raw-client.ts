/** A Thrift client over a plain socket that shows what is on the wire: replies, their order, FIN and reset. */
import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { decodeMessage, encodeCall, type Fields, frame, type Message, MessageType } from "./binary.ts";

export interface RawClientOptions {
  /** Default: true. */
  readonly framed?: boolean;
  /** Where; default host 127.0.0.1. */
  readonly connect: NetConnectOpts | { readonly port: number };
}

/** How a connection ended for its client. */
export type ConnectionEnd = "fin" | NodeJS.ErrnoException;

/** A reply and when it came, as `performance.now()` counts. */
export interface Reply extends Message {
  readonly atMs: number;
}

/** Connects; the socket is destroyed at the end of the test. */
export async function connectRaw(t: TestContext, options: RawClientOptions): Promise<RawClient> {
  const { host, ...rest } = { host: "127.0.0.1", ...options.connect } as {
    host?: string;
    port?: number;
    path?: string;
  };
  const where = rest.path === undefined ? { host, ...rest } : rest;
  const socket = connect({ ...where, allowHalfOpen: true, noDelay: true } as NetConnectOpts);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return new RawClient(socket, options.framed ?? true);
}

/** One connection. */
export class RawClient {
  readonly socket: Socket;
  readonly framed: boolean;
  /** All replies in the order in which they came. */
  readonly replies: Reply[] = [];
  /** Resolves when the server has sent FIN, or with the error that ended the connection. */
  readonly ended: Promise<ConnectionEnd>;
  #buffer: Buffer = Buffer.alloc(0);
  #seqid = 0;
  #over: ConnectionEnd | undefined;
  #wakers: (() => void)[] = [];

  constructor(socket: Socket, framed: boolean) {
    this.socket = socket;
    this.framed = framed;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.ended = new Promise((resolve) => {
      const end = (how: ConnectionEnd): void => {
        this.#over ??= how;
        this.#wake();
        resolve(how);
      };
      socket.on("end", () => end("fin"));
      socket.on("error", (error: NodeJS.ErrnoException) => end(error));
      socket.on("close", () =>
        end(Object.assign(new Error("the socket was destroyed here"), { code: "CLOSED" })),
      );
    });
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends a call and returns its seqid; several ones in one write go through `write` and `encode`. */
  send(name: string, args: Fields = {}, type: number = MessageType.CALL): number {
    const seqid = ++this.#seqid;
    this.write(this.encode(name, seqid, args, type));
    return seqid;
  }

  /** A call's bytes as this connection frames them. */
  encode(name: string, seqid: number, args: Fields = {}, type: number = MessageType.CALL): Buffer {
    const message = encodeCall(name, seqid, args, type);
    return this.framed ? frame(message) : message;
  }

  /** Sends a call and resolves with its reply. @throws when the connection ends before */
  call(name: string, args: Fields = {}): Promise<Reply> {
    return this.reply(this.send(name, args));
  }

  /** Resolves with the reply to a call, come already or not. @throws when the connection ends before */
  async reply(seqid: number): Promise<Reply> {
    for (;;) {
      const found = this.replies.find((reply) => reply.seqid === seqid);
      if (found !== undefined) return found;
      if (this.#over !== undefined) {
        const how = this.#over === "fin" ? "FIN" : this.#over.code;
        throw new Error(`the connection ended (${how}) without a reply to call ${seqid}`);
      }
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
  }

  /** Sends FIN; what the server still sends is read. */
  end(): void {
    this.socket.end();
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (let reply = this.#cut(); reply !== undefined; reply = this.#cut()) {
      this.replies.push({ ...reply, atMs: performance.now() });
    }
    this.#wake();
  }

  #cut(): Message | undefined {
    const head = this.framed ? 4 : 0;
    if (this.#buffer.length <= head) return undefined;
    if (this.framed && this.#buffer.length < 4 + this.#buffer.readInt32BE()) return undefined;
    const message = decodeMessage(this.#buffer, head);
    if (message !== undefined) this.#buffer = this.#buffer.subarray(head + message.length);
    return message;
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}
