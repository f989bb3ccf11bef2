/** What the main thread, the workers and the state thread send each other. */
import type { MessagePort } from "node:worker_threads";
import type { PackedError } from "./error-transfer.ts";

/** Names of the process resources by service, in the order in which they were opened. */
export type ResourceNames = Readonly<Record<string, readonly string[]>>;

/** One worker's line to the state thread. Send it to the worker with `[channel.port]` as transfer list. */
export interface StateChannel {
  readonly port: MessagePort;
  /** One int32 that wraps: how many batches the worker has posted. Raised after each post. */
  readonly sent: SharedArrayBuffer;
}

/**
 * Calls in one message, flat: id, resource index, method name, arguments, and again. Flat because an object
 * per call costs more to copy than the call itself.
 */
export type CallBatch = readonly unknown[];
export const callBatchStride = 4;

/** Answers in one message, flat: id, true and a value, or id, false and a packed error, and again. */
export type AckBatch = readonly unknown[];
export const ackBatchStride = 3;

/** A log record that a resource wrote. */
export interface StateLogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A resource that could not be flushed or closed. */
export interface ResourceFailure {
  readonly service: string;
  readonly resource: string;
  readonly message: string;
}

/** What came of a flush or a close of all process resources. */
export interface ResourceReport {
  readonly failed: readonly ResourceFailure[];
  /** True when at least one resource, or the state thread, did not finish in time. */
  readonly timedOut: boolean;
}

/** What the state thread is started with. */
export interface StateStartData {
  readonly modules: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

export type MessageToState =
  | { readonly kind: "connect"; readonly channel: StateChannel }
  | { readonly kind: "flush" | "close"; readonly id: number; readonly withinMs: number };

export type MessageFromState =
  | { readonly kind: "ready"; readonly resources: ResourceNames }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly service: string;
      readonly resource: string;
      readonly cause: PackedError;
    }
  | { readonly kind: "log"; readonly record: StateLogRecord }
  | { readonly kind: "report"; readonly id: number; readonly report: ResourceReport };
