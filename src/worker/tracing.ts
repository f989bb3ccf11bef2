/**
 * Spans of OpenTelemetry, one per call, for workers in which an SDK is registered: by a service module, or by what
 * `node --import` loads. It is looked for once, when the handlers are made. Without one, nothing of this runs and
 * OpenTelemetry is not even loaded.
 *
 * The attributes are those of the semantic conventions for RPC (release candidate of 2025); the parent comes from the
 * call's headers (THeader, HTTP) as the SDK's propagator reads them, W3C's `traceparent` as a rule.
 */
import type { Attributes, Span, Tracer } from "@opentelemetry/api";
import { type CurrentCall, currentCall } from "../service/current-call.ts";
import type { LifeStep } from "../service/life-steps.ts";

type Api = typeof import("@opentelemetry/api");
type Method = (...args: unknown[]) => unknown;
type Handler = Record<string, Method>;

/** Makes the spans of a worker's calls. */
export interface CallTracer {
  /** The handler with a span around each of its methods. */
  traced(service: string, methods: readonly { readonly name: string }[], handler: object): object;
  /** Hands over what the SDK still keeps. It fails for nobody: spans are no state. */
  flushStep(warn: (error: unknown) => void): LifeStep;
}

/** Where every copy of the API keeps what is registered. It is there only when something is. */
const registryKey: symbol = Symbol.for("opentelemetry.js.api.1");

/** @returns undefined when no SDK is registered in this thread */
export async function createCallTracer(): Promise<CallTracer | undefined> {
  const registered = (globalThis as Record<symbol, { readonly trace?: unknown } | undefined>)[registryKey];
  if (registered?.trace === undefined) return undefined;
  const api = await import("@opentelemetry/api");
  const tracer = api.trace.getTracer("thrift-sluice");
  return {
    traced: (service, methods, handler) => tracedHandler(api, tracer, service, methods, handler as Handler),
    flushStep: (warn) => ({
      service: "",
      what: "traces",
      run: async () => {
        try {
          await flush(api);
        } catch (error) {
          warn(error);
        }
      },
    }),
  };
}

async function flush(api: Api): Promise<void> {
  const provider = api.trace.getTracerProvider() as { getDelegate?(): unknown };
  const real = (provider.getDelegate?.() ?? provider) as { forceFlush?(): Promise<void> };
  await real.forceFlush?.();
}

function tracedHandler(
  api: Api,
  tracer: Tracer,
  service: string,
  methods: readonly { readonly name: string }[],
  handler: Handler,
): Handler {
  const traced: Handler = {};
  for (const { name } of methods) {
    const method = handler[name]!;
    const rpcMethod = `${service}/${name}`;
    traced[name] = (...args) => runInSpan(api, tracer, rpcMethod, () => method.apply(handler, args));
  }
  return traced;
}

function runInSpan(api: Api, tracer: Tracer, rpcMethod: string, run: () => unknown): unknown {
  const call = currentCall();
  const parent = api.propagation.extract(api.ROOT_CONTEXT, call.headers);
  const options = { kind: api.SpanKind.SERVER, attributes: attributesOf(rpcMethod, call) };
  const span = tracer.startSpan(rpcMethod, options, parent);
  return api.context.with(api.trace.setSpan(parent, span), () => {
    try {
      const result = run();
      if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") {
        span.end();
        return result;
      }
      return Promise.resolve(result).then(
        (value) => {
          span.end();
          return value;
        },
        (error: unknown) => {
          endFailed(api, span, error);
          throw error;
        },
      );
    } catch (error) {
      endFailed(api, span, error);
      throw error;
    }
  });
}

function attributesOf(rpcMethod: string, { peer, seqid }: CurrentCall): Attributes {
  const at = peer.lastIndexOf(":");
  const client: Attributes =
    at < 0
      ? { "network.transport": "unix" }
      : {
          "client.address": peer.slice(0, at).replace(/^\[|\]$/g, ""),
          "client.port": Number(peer.slice(at + 1)),
          "network.transport": "tcp",
        };
  return { "rpc.system.name": "thrift", "rpc.method": rpcMethod, "sluice.seqid": seqid, ...client };
}

/** An exception that the IDL declares is an answer, and no error of the server. */
function endFailed(api: Api, span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
  span.setAttribute("error.type", name);
  if (!isGenerated(error)) {
    span.recordException(error instanceof Error ? error : message);
    span.setStatus({ code: api.SpanStatusCode.ERROR, message });
    span.setAttribute("rpc.response.status_code", "INTERNAL_ERROR");
  }
  span.end();
}

/** Whether the Thrift compiler has made its class: then it can write itself. */
function isGenerated(error: unknown): boolean {
  return error instanceof Error && typeof (error as { write?: unknown }).write === "function";
}
