/** Thrift over HTTP as tests send it: by node:http, and byte by byte over a plain socket. */
import { once } from "node:events";
import { type Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { decodeMessage, encodeCall, type Fields, type Message, MessageType } from "../../support/binary.ts";

/** A response that was read to its end. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpRequest {
  readonly port?: number;
  readonly socketPath?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
  readonly agent?: Agent;
}

/** Sends one request. */
export async function send(given: HttpRequest): Promise<HttpResponse> {
  const { body, ...options } = { method: "POST", host: "127.0.0.1", ...given };
  const sent = request(options);
  sent.end(body);
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) };
}

/** Makes a call over HTTP. */
export async function call(
  given: HttpRequest,
  name: string,
  args: Fields = {},
): Promise<Message & { readonly response: HttpResponse }> {
  const headers = { "content-type": "application/x-thrift", ...given.headers };
  const response = await send({ ...given, headers, body: encodeCall(name, 1, args) });
  return { ...decodeMessage(response.body)!, response };
}

/** A request's bytes. */
export function requestBytes(body: Buffer, head: readonly string[] = []): Buffer {
  const lines = [
    "POST /any HTTP/1.1",
    "Host: x",
    "Content-Type: application/x-thrift",
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from([...lines, ...head, "", ""].join("\r\n")), body]);
}

/** A call's request as bytes. */
export function callBytes(name: string, seqid: number, args: Fields = {}, type?: number): Buffer {
  return requestBytes(encodeCall(name, seqid, args, type ?? MessageType.CALL));
}

/** A plain socket that collects what comes. */
export class RawHttp {
  readonly socket: Socket;
  readonly ended: Promise<"fin" | NodeJS.ErrnoException>;
  received: Buffer = Buffer.alloc(0);
  #wakers: (() => void)[] = [];
  #over = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      socket.on("end", () => resolve("fin"));
      socket.on("error", (error) => resolve(error));
    });
    void this.ended.then(() => {
      this.#over = true;
      this.#wake();
    });
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  /** Resolves when what came contains this. @throws when the connection ends before */
  async until(fits: RegExp): Promise<string> {
    while (!fits.test(this.text)) {
      if (this.#over) throw new Error(`the connection ended without ${fits}:\n${this.text}`);
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
    return this.text;
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}

/** Connects; the socket is destroyed at the end of the test. */
export async function connectRawHttp(t: TestContext, port: number): Promise<RawHttp> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return new RawHttp(socket);
}

/** The responses in what was received, each with Content-Length. */
export function responsesIn(bytes: Buffer): { head: string; body: Buffer }[] {
  const found: { head: string; body: Buffer }[] = [];
  for (let rest = bytes; ; ) {
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd < 0) return found;
    const head = rest.toString("latin1", 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (rest.length < headEnd + 4 + length) return found;
    found.push({ head, body: rest.subarray(headEnd + 4, headEnd + 4 + length) });
    rest = rest.subarray(headEnd + 4 + length);
  }
}
