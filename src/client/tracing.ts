/**
 * A span of OpenTelemetry around each call, where an SDK is registered when the client is made. Without one nothing of
 * OpenTelemetry is loaded. Over THeader and HTTP the context travels along as the SDK's propagator writes it.
 */
import { createRequire } from "node:module";
import type { Span } from "@opentelemetry/api";
import { type CallTrace, messageOf } from "./errors.ts";

type Api = typeof import("@opentelemetry/api");
type Headers = Readonly<Record<string, string>>;

/** Knows where it has been. */
interface Traced {
  readonly trace: CallTrace;
}

/** Makes the spans of a client's calls. */
export interface ClientTracer {
  /** Makes the call in a span: `make` gets the headers to send, and says which call it is. */
  traced(
    method: string,
    headers: Headers | undefined,
    make: (headers: Headers, made: (call: Traced) => void) => Promise<unknown>,
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
      let call: Traced | undefined;
      try {
        return await make(carrier, (made) => {
          call = made;
        });
      } catch (error) {
        noteFailure(api, span, error);
        throw error;
      } finally {
        noteWhere(span, call);
        span.end();
      }
    },
  };
}

/** A call that was never made has been nowhere. */
function noteWhere(span: Span, call: Traced | undefined): void {
  if (call === undefined) return;
  const { endpoint, attempts } = call.trace;
  if (endpoint !== undefined) span.setAttribute("server.address", endpoint);
  span.setAttribute("sluice.attempts", attempts);
}

function noteFailure(api: Api, span: Span, error: unknown): void {
  const message = messageOf(error);
  const name = error instanceof Error ? error.name : typeof error;
  span.setAttribute("error.type", name);
  if (isAnswer(error)) return;
  span.recordException(error instanceof Error ? error : message);
  span.setStatus({ code: api.SpanStatusCode.ERROR, message });
}

/** An exception that the IDL declares is an answer, and no error of the call: its class can write itself. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && typeof (error as { write?: unknown }).write === "function";
}
