import assert from "node:assert/strict";
import { test } from "node:test";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { clientOf, serveProbe } from "./client-rig.ts";

test("where an SDK is registered each call is a span, with the caller's as its parent, and it goes along", async (t) => {
  const port = await serveProbe(t);
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const sent: string[] = [];
  propagation.setGlobalPropagator({
    fields: () => ["traceparent"],
    extract: (given) => given,
    inject: (given, carrier) => {
      const { traceId, spanId } = trace.getSpanContext(given)!;
      (carrier as Record<string, string>)["traceparent"] = `00-${traceId}-${spanId}-01`;
      sent.push(spanId);
    },
  });
  t.after(() => {
    trace.disable();
    context.disable();
    propagation.disable();
  });
  const client = clientOf(t, { endpoints: `127.0.0.1:${port}`, transport: "header" });
  const outer = provider.getTracer("test").startSpan("outer");
  await context.with(trace.setSpan(context.active(), outer), async () => {
    assert.equal(await client.add(1, 2), 3);
    await assert.rejects(client.fail("declared"));
    await assert.rejects(client.fail("error"));
  });
  const spans = exporter.getFinishedSpans();
  assert.deepEqual(
    spans.map(({ name, kind, status }) => [name, kind, status.code]),
    [
      ["Probe/add", SpanKind.CLIENT, SpanStatusCode.UNSET],
      ["Probe/fail", SpanKind.CLIENT, SpanStatusCode.UNSET],
      ["Probe/fail", SpanKind.CLIENT, SpanStatusCode.ERROR],
    ],
  );
  const { spanId, traceId } = outer.spanContext();
  for (const span of spans) {
    assert.equal(span.parentSpanContext?.spanId, spanId);
    assert.equal(span.spanContext().traceId, traceId);
  }
  assert.deepEqual(
    sent,
    spans.map((span) => span.spanContext().spanId),
  );
  for (const { attributes } of spans) {
    assert.equal(attributes["sluice.attempts"], 1);
    assert.equal(attributes["server.address"], `127.0.0.1:${port}`);
  }
});
