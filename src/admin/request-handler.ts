/** From a request to its answer: guard, path, method, body, endpoint. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Endpoint, Reply, StreamReply } from "./endpoints.ts";
import { textReply } from "./endpoints.ts";
import { type GuardPolicy, refusalOf } from "./guard.ts";
import { hasBody, MAX_BODY_BYTES, type RequestBody, readBody } from "./request-body.ts";
import type { AdminLog } from "./source.ts";

/** What answering goes by. */
export interface RequestContext {
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly policy: GuardPolicy;
  readonly log: AdminLog;
  /** Whether answers ask the client to close its connection. */
  closing(): boolean;
  /** The request has come whole and is going to be answered; what is still coming may be dropped at any time. */
  onWhole(): void;
}

/** Nothing is kept by anybody or framed; the page runs and loads only what this port serves. */
const headersOfAll: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** Answers one request. Never rejects. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
): Promise<void> {
  const body: RequestBody = hasBody(request) ? await readBody(request) : { kind: "whole", text: "" };
  context.onWhole();
  let reply: Reply | StreamReply;
  try {
    reply = await replyTo(request, body, context);
  } catch (cause) {
    context.log("error", "the admin port failed to answer", { err: cause });
    reply = textReply(500, "internal error; the log has it");
  }
  if (body.kind === "endless" || context.closing()) response.setHeader("connection", "close");
  if ("stream" in reply) {
    response.writeHead(200, { ...headersOfAll, "content-type": reply.type });
    if (request.method === "HEAD") response.end();
    else reply.stream(response);
    return;
  }
  response.writeHead(reply.status, {
    ...headersOfAll,
    ...reply.headers,
    "content-type": reply.type,
    "content-length": Buffer.byteLength(reply.body),
  });
  response.end(request.method === "HEAD" ? undefined : reply.body);
}

function replyTo(
  request: IncomingMessage,
  body: RequestBody,
  { endpoints, policy }: RequestContext,
): Reply | StreamReply | Promise<Reply> {
  const refusal = refusalOf(request, policy);
  if (refusal !== undefined) return textReply(refusal.status, refusal.message);
  const { path, query } = splitTarget(request.url ?? "");
  const endpoint = endpoints.get(path);
  if (endpoint === undefined) {
    const named = [...endpoints.keys()].filter((known) => !known.startsWith("/page/"));
    return textReply(404, `no such path; there are ${named.join(" ")}`);
  }
  const method = request.method === "HEAD" ? "GET" : request.method;
  const reply = method === "GET" || method === "POST" ? endpoint[method] : undefined;
  if (reply === undefined) {
    const allow = endpoint.GET === undefined ? "POST" : "GET, HEAD";
    return textReply(405, `this path takes ${allow}`, { allow });
  }
  if (body.kind !== "whole") return textReply(413, `a body may have ${MAX_BODY_BYTES} bytes at most`);
  return reply({ query, body: body.text });
}

/** Targets that are whole URLs (proxies send them) lead to no path. */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const [path = "", ...rest] = target.split("?");
  return { path, query: new URLSearchParams(rest.join("?")) };
}
