/** What the admin port answers on which path. Everything is answered from memory; nothing waits for a worker. */
import type { ServerResponse } from "node:http";
import { TakeoverRefusedError, UndrainRefusedError } from "../lifecycle/errors.ts";
import type { Metrics } from "./metrics.ts";
import { pageFiles } from "./page-files.ts";
import type { AdminSource } from "./source.ts";
import { statusOf } from "./status.ts";
import type { Viewers } from "./viewers.ts";

/** A whole answer. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on until somebody ends it. */
export interface StreamReply {
  readonly type: string;
  /** Takes over the response, whose head is written. */
  readonly stream: (response: ServerResponse) => void;
}

/** What an endpoint may go by. */
export interface EndpointInput {
  readonly query: URLSearchParams;
  /** Empty when there was none. */
  readonly body: string;
}

/** How a path answers; HEAD goes by GET. */
export interface Endpoint {
  readonly GET?: (input: EndpointInput) => Reply | StreamReply | Promise<Reply>;
  readonly POST?: (input: EndpointInput) => Reply | Promise<Reply>;
}

/** The longest reason that is kept, in characters. */
const MAX_REASON_LENGTH = 200;

/** A line of text. */
export function textReply(status: number, text: string, headers: Record<string, string> = {}): Reply {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n`, headers };
}

/** The endpoints of a server by path. */
export function createEndpoints(
  source: AdminSource,
  metrics: Metrics,
  viewers: Viewers,
): ReadonlyMap<string, Endpoint> {
  return new Map<string, Endpoint>([
    ...[...pageFiles].map(([path, { type, read }]): [string, Endpoint] => [
      path,
      { GET: () => ({ status: 200, type, body: read() }) },
    ]),
    ["/events", { GET: () => eventsReply(viewers) }],
    [
      "/livez",
      { GET: () => (source.live() ? textReply(200, "ok") : textReply(503, "the main thread can't go on")) },
    ],
    ["/readyz", { GET: () => readyReply(source) }],
    [
      "/metrics",
      { GET: async () => ({ status: 200, type: metrics.contentType, body: await metrics.scrape() }) },
    ],
    ["/statusz", { GET: () => jsonReply(200, statusOf(source)) }],
    ["/drain", { POST: (input) => drainReply(source, input) }],
    ["/takeover", { POST: () => takeoverReply(source) }],
    ["/undrain", { POST: () => undrainReply(source) }],
  ]);
}

function eventsReply(viewers: Viewers): Reply | StreamReply {
  if (viewers.full) {
    return textReply(503, "as many as may look are looking already", { "retry-after": "5" });
  }
  return { type: "text/event-stream; charset=utf-8", stream: (response) => viewers.add(response) };
}

function readyReply(source: AdminSource): Reply {
  const readiness = source.ready();
  return readiness.ready ? textReply(200, "ok") : textReply(503, readiness.reason);
}

/** Asks for a drain and says where the server stands then. The drain itself goes on for as long as it takes. */
function drainReply(source: AdminSource, input: EndpointInput): Reply {
  const given = reasonOf(input);
  if (given === undefined) return textReply(400, 'the body must be text or JSON such as {"reason":"deploy"}');
  const reason = given === "" ? "POST /drain" : `POST /drain: ${given}`;
  source.log("info", "drain asked for", { reason });
  source.requestDrain(reason);
  return stateReply(202, source);
}

function undrainReply(source: AdminSource): Reply {
  try {
    source.undrain();
  } catch (error) {
    if (error instanceof UndrainRefusedError) return textReply(409, error.message);
    throw error;
  }
  source.log("info", "undrained");
  return stateReply(200, source);
}

/** Starts a successor; what comes of it is in `/statusz`. */
function takeoverReply(source: AdminSource): Reply {
  if (source.requestTakeover === undefined) return textReply(409, "this server can't be taken over");
  try {
    return jsonReply(202, { pid: source.requestTakeover() });
  } catch (error) {
    if (error instanceof TakeoverRefusedError) return textReply(409, error.message);
    throw error;
  }
}

function stateReply(status: number, source: AdminSource): Reply {
  const { owed } = source.totals();
  return jsonReply(status, { ...source.phase(), owed, running: source.running() });
}

function jsonReply(status: number, value: unknown): Reply {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

/** The reason in the body (text, or JSON) or else in the query, on one printable line; undefined when unreadable. */
function reasonOf({ body, query }: EndpointInput): string | undefined {
  const text = body.trimStart().startsWith("{") ? reasonInJson(body) : body || query.get("reason") || "";
  // Control, format and lone surrogate characters could disguise or split a log line.
  const printable = text?.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return printable === undefined ? undefined : [...printable].slice(0, MAX_REASON_LENGTH).join("");
}

function reasonInJson(body: string): string | undefined {
  try {
    const { reason = "" } = JSON.parse(body) as { reason?: unknown };
    return typeof reason === "string" ? reason : undefined;
  } catch {
    return undefined;
  }
}
