/**
 * A span of OpenTelemetry around each call, where an SDK is registered when the client is made. Without one nothing of
 * OpenTelemetry is loaded. Over THeader and HTTP the context travels along as the SDK's propagator writes it.
 */
import { createRequire } from "node:module";
import type { Span } from "@opentelemetry/api";
import { callTrace } from "./errors.ts";

type Api = typeof import("@opentelemetry/api");
type Headers = Readonly<Record<string, string>>;

/** Makes the spans of a client's calls. */
export interface ClientTracer {
  /** Makes the call in a span: `make` gets the headers to send. */
  traced(
    method: string,
    headers: Headers | undefined,
    make: (headers: Headers) => Promise<unknown>,
  ): Promise<unknown>;
}

/** Where every copy of the API keeps what is registered. It is there only when something is. */
const registryKey: symbol = Symbol.for("opentelemetry.js.api.1");

/** @returns undefined when no SDK is registered */
export function createClientTracer(service: string): ClientTracer | undefined {
  const registered = (globalThis as Record<symbol, { readonly trace?: unknown } | undefined>)[registryKey];
  if (registered?.trace === undefined) return undefined;
  const api = createRequire(import.meta.url)("@opentelemetry/api") as Api;
  const tracer = api.trace.getTracer("thrift-sluice");
  return {
    async traced(method, headers, make) {
      const rpcMethod = `${service}/${method}`;
      const attributes = { "rpc.system.name": "thrift", "rpc.method": rpcMethod };
      const span = tracer.startSpan(rpcMethod, { kind: api.SpanKind.CLIENT, attributes });
      const carrier: Record<string, string> = { ...headers };
      api.propagation.inject(api.trace.setSpan(api.context.active(), span), carrier);
      try {
        return await make(carrier);
      } catch (error) {
        endFailed(api, span, error);
        throw error;
      } finally {
        span.end();
      }
    },
  };
}

function endFailed(api: Api, span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
  const trace = callTrace(error);
  span.setAttribute("error.type", name);
  if (trace?.endpoint !== undefined) span.setAttribute("server.address", trace.endpoint);
  if (trace !== undefined) span.setAttribute("sluice.attempts", trace.attempts);
  if (isAnswer(error)) return;
  span.recordException(error instanceof Error ? error : message);
  span.setStatus({ code: api.SpanStatusCode.ERROR, message });
}

/** An exception that the IDL declares is an answer, and no error of the call: its class can write itself. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && typeof (error as { write?: unknown }).write === "function";
}
