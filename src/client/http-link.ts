/** HTTP POST: a call per request, over connections that are kept. Node's agent knows when one may not be used again. */
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as requestPlain,
} from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import type { Socket } from "node:net";
import { createMessageView, type MessageView } from "../wire/message.ts";
import { checkReplyType, headerReaders } from "../wire/message-header.ts";
import type { Address } from "./address.ts";
import type { ClientCall, Failure } from "./call.ts";
import type { Answer } from "./call-codec.ts";
import { messageOf } from "./errors.ts";
import type { Link, LinkOwner, LinkSettings, LinkState } from "./link.ts";
import { judge, saysLeaving } from "./refusals.ts";

const contentType = "application/x-thrift";
const unavailable = 503;
/** Statuses of calls that were not run and may be made again. */
const busy: readonly number[] = [408, 429, unavailable];
const oneway: Answer = { kind: "result", value: undefined };

export class HttpLink implements Link {
  readonly endpoint: LinkOwner;
  readonly gone: Promise<void>;
  state: LinkState = "connecting";
  live = 0;
  stalled = false;
  readonly #settings: LinkSettings;
  readonly #address: Address;
  readonly #agent: PlainAgent | TlsAgent;
  readonly #requests = new Map<ClientCall, ClientRequest>();
  readonly #sockets = new Set<Socket>();
  /** When something came last, or a call was given to it while nothing was owed. */
  #heardMs = 0;
  /** Whether a call was given up that nothing has come since. */
  #unanswered = false;
  #resolveGone: () => void = () => {};

  constructor(address: Address, owner: LinkOwner, settings: LinkSettings) {
    this.endpoint = owner;
    this.#address = address;
    this.#settings = settings;
    const options = { keepAlive: true, maxSockets: settings.httpConnections };
    this.#agent = settings.tls === undefined ? new PlainAgent(options) : new TlsAgent(options);
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    // There is nothing to wait for: each request connects where it has to.
    setImmediate(() => {
      if (this.state !== "connecting") return;
      this.state = "open";
      owner.opened(this);
    });
  }

  get owed(): number {
    return this.live;
  }

  get silentSinceMs(): number | undefined {
    return this.live > 0 ? this.#heardMs : undefined;
  }

  send(call: ClientCall): void {
    const request = this.#request(call);
    call.carrier = this;
    call.state = "queued";
    if (this.live++ === 0 && !this.#unanswered) this.#heardMs = this.#settings.clock.now();
    this.endpoint.inFlight++;
    this.#requests.set(call, request);
    request.end(call.bytes);
  }

  knows(call: ClientCall): boolean {
    return this.#requests.has(call);
  }

  waiting(): ClientCall[] {
    return [...this.#requests.keys()].filter((call) => call.carrier === this);
  }

  release(call: ClientCall): void {
    const request = this.#requests.get(call);
    if (call.state !== "queued") this.#unanswered = true;
    if (call.state !== "sent") {
      this.#requests.delete(call);
      request?.destroy();
    } else {
      // It goes another way, and may still be answered here, but not after its time.
      const leftMs = Math.max(1, call.deadlineMs - this.#settings.clock.now());
      request?.setTimeout(leftMs, () => request.destroy());
    }
    this.#forget(call);
    this.#endIfUnused();
  }

  leave(): void {
    if (this.state === "leaving" || this.state === "over") return;
    this.state = "leaving";
    this.#endIfUnused();
  }

  destroy(cause: unknown): void {
    this.#end(cause);
    for (const socket of this.#sockets) socket.destroy();
  }

  #request(call: ClientCall): ClientRequest {
    const { tls, httpPath, connectTimeoutMs } = this.#settings;
    const { connect, servername } = this.#address;
    const request = (tls === undefined ? requestPlain : requestTls)({
      ...("path" in connect ? { socketPath: connect.path, host: "localhost" } : connect),
      ...(tls === undefined || servername === undefined ? {} : { servername }),
      ...tls,
      agent: this.#agent,
      method: "POST",
      path: httpPath,
      headers: {
        ...call.headers,
        "content-type": contentType,
        "content-length": call.bytes.length,
      },
    });
    request.on("socket", (socket) => this.#watch(call, socket, connectTimeoutMs));
    request.on("response", (response) => this.#receive(call, response));
    request.on("error", (error) => this.#fail(call, error));
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      this.#fail(call, new Error("HTTP status 101"));
    });
    return request;
  }

  /** Tells when the request begins to leave: from then on it may run. */
  #watch(call: ClientCall, socket: Socket, connectTimeoutMs: number): void {
    const sent = (): void => {
      socket.setTimeout(0);
      if (call.carrier === this && call.state === "queued") call.state = "sent";
    };
    if (!this.#sockets.has(socket)) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#resolveIfGone();
      });
    }
    if (isConnected(socket)) {
      sent();
      return;
    }
    socket.setTimeout(connectTimeoutMs, () => {
      if (!isConnected(socket)) socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`));
    });
    socket.once(this.#settings.tls === undefined ? "connect" : "secureConnect", sent);
  }

  #receive(call: ClientCall, response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on("data", (chunk: Buffer) => {
      this.#hear();
      size += chunk.length;
      chunks.push(chunk);
      if (size > this.#settings.limits.maxFrameSizeBytes) {
        response.destroy(new Error(`a reply of more than ${this.#settings.limits.maxFrameSizeBytes} bytes`));
      }
    });
    response.on("error", (error) => this.#fail(call, error));
    response.on("end", () => {
      this.#hear();
      this.#requests.delete(call);
      if (call.state !== "settled") this.#take(call, response.statusCode ?? 0, Buffer.concat(chunks));
      this.#endIfUnused();
    });
  }

  #take(call: ClientCall, status: number, body: Buffer): void {
    const isOneway = call.method.receive === undefined;
    const failure = isOneway && isSuccess(status) ? undefined : failureOf(status, body);
    if (failure !== undefined) {
      // Others may be served yet: its server leaves, or has too much to do.
      if (status === unavailable && /draining/.test(body.toString("utf8", 0, 200))) {
        this.endpoint.serverLeaves(this);
      }
      this.#giveUp(call, failure);
      return;
    }
    const answer = isSuccess(status) ? this.#answerOf(call, body) : refusalOf(status, body);
    const verdict = judge(answer, false);
    if (verdict !== "final") {
      if (saysLeaving(answer)) this.endpoint.serverLeaves(this);
      this.#giveUp(call, { kind: verdict, reached: true, cause: answer });
      return;
    }
    if (call.carrier === this) this.#forget(call);
    this.endpoint.answered(call, answer, this);
  }

  #answerOf(call: ClientCall, body: Buffer): Answer {
    return call.method.receive === undefined ? oneway : this.#decode(call, body);
  }

  #decode(call: ClientCall, body: Buffer): Answer {
    const view = createMessageView();
    try {
      return this.#settings.codec.decode(call.method.receive!, this.#cut(view, body));
    } catch (cause) {
      const message = `the reply can't be read: ${messageOf(cause)}`;
      return { kind: "application", type: 7, message, cause };
    }
  }

  #cut(view: MessageView, body: Buffer): MessageView {
    view.bytes = body;
    view.start = 0;
    view.end = body.length;
    if (!headerReaders[this.#settings.protocol](view, body.length)) throw new Error("it ends too early");
    checkReplyType(view);
    return view;
  }

  #fail(call: ClientCall, cause: unknown): void {
    if (!this.#requests.delete(call)) return;
    const kind = call.state === "queued" ? "not-started" : "unknown";
    if (call.state !== "settled" && call.carrier === this && this.state !== "over") {
      this.endpoint.ended(this, kind === "unknown" ? "open" : "connecting", 1, cause);
      this.#giveUp(call, { kind, reached: kind === "unknown", cause });
    }
    this.#endIfUnused();
  }

  #giveUp(call: ClientCall, failure: Failure): void {
    // An earlier attempt's: the latest may still do better.
    if (call.carrier !== this) return;
    this.#forget(call);
    this.endpoint.failed(call, failure, this);
  }

  #hear(): void {
    this.#heardMs = this.#settings.clock.now();
    this.#unanswered = false;
    if (!this.stalled) return;
    this.stalled = false;
    this.endpoint.spoke(this);
  }

  #forget(call: ClientCall): void {
    if (call.carrier !== this) return;
    call.carrier = undefined;
    this.live--;
    this.endpoint.inFlight--;
  }

  #endIfUnused(): void {
    if (this.live > 0 || this.state === "over") return;
    if (this.state !== "leaving" && !this.stalled) return;
    this.#end(undefined);
  }

  #end(cause: unknown): void {
    if (this.state === "over") return;
    this.state = "over";
    const lost = this.waiting();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    this.endpoint.ended(this, "leaving", 0, cause);
    for (const call of lost) {
      this.#giveUp(call, { kind: call.state === "queued" ? "not-started" : "unknown", reached: true, cause });
    }
    for (const request of requests) request.destroy();
    this.#agent.destroy();
    this.#resolveIfGone();
  }

  #resolveIfGone(): void {
    if (this.state === "over" && this.#sockets.size === 0) this.#resolveGone();
  }
}

function isConnected(socket: Socket): boolean {
  return (
    !socket.connecting &&
    (socket as Socket & { readonly secureConnecting?: boolean }).secureConnecting !== true
  );
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** What says nothing of the call itself. */
function failureOf(status: number, body: Buffer): Failure | undefined {
  if (status === 200 || (status >= 300 && status < 500 && !busy.includes(status))) return undefined;
  const kind = busy.includes(status) && !brokeBehindProxy(body) ? "not-started" : "unknown";
  return { kind, reached: true, cause: new Error(describeStatus(status, body)) };
}

/** Envoy has status 503 also for a connection that broke when the call had been passed on; its words tell which. */
function brokeBehindProxy(body: Buffer): boolean {
  const text = body.toString("utf8", 0, 300);
  return /disconnect\/reset before headers/.test(text) && !/connection (failure|timeout)|overflow/.test(text);
}

/** The wrong path, another place, no permission and the like: every attempt would end so. */
function refusalOf(status: number, body: Buffer): Answer {
  return {
    kind: "application",
    type: 0,
    message: describeStatus(status, body),
    cause: new Error("no Thrift message"),
  };
}

function describeStatus(status: number, body: Buffer): string {
  const text = body.toString("utf8", 0, 200).trim();
  return `HTTP status ${status}${text === "" ? "" : `: ${text}`}`;
}
