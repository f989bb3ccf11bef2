/** What the two ends of a lane say to each other besides calls. A bare `null` is a wake-up. */
import type { MessagePort } from "node:worker_threads";
import type { MethodDescription } from "../calls/method-table.ts";

/** From the main thread to a worker. */
export type ToWorker =
  | null
  /** The bytes of a call that is too large for the ring; posted before its slot is published. */
  | { readonly kind: "request"; readonly slot: number; readonly bytes: Uint8Array }
  /** A call's `signal` aborts. */
  | { readonly kind: "abort"; readonly slot: number; readonly serial: number; readonly reason: string }
  | {
      readonly kind: "published";
      readonly version: number;
      readonly service: number;
      /** See `carried-value.ts`. */
      readonly copy: MessagePort;
    }
  | { readonly kind: "publishDone"; readonly id: number }
  /** What workers wait for is there: handlers may be made. `opening` is the worker entry's affair. */
  | { readonly kind: "begin"; readonly opening: unknown }
  | { readonly kind: "reload" }
  /** Answered by `pong` as soon as the worker is back in its event loop. */
  | { readonly kind: "ping" }
  /** Flush, or close handlers and worker resources; answered by `flushed` and `closed`, within that time if possible. */
  | { readonly kind: "flush" | "close"; readonly withinMs: number };

/** A resource or handler that could not be flushed or closed. */
export interface LifeFailure {
  readonly service: string;
  readonly what: string;
  readonly message: string;
}

/** From a worker to the main thread. */
export type FromWorker =
  | null
  | { readonly kind: "reply"; readonly slot: number; readonly bytes: Uint8Array }
  /** The modules are loaded; handlers are made after `begin`. */
  | { readonly kind: "loaded"; readonly services: readonly ServiceDescription[]; readonly threadId: number }
  | { readonly kind: "ready" }
  | { readonly kind: "pong" }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly stack?: string }
  | {
      readonly kind: "publish";
      readonly id: number;
      readonly service: number;
      readonly copies: readonly MessagePort[];
    }
  | { readonly kind: "reloaded"; readonly failures: readonly LifeFailure[] }
  | { readonly kind: "flushed"; readonly failures: readonly LifeFailure[] }
  | { readonly kind: "closed"; readonly failures: readonly LifeFailure[] }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Record<string, unknown>;
    };

/** What a service module offers, as its worker says it. */
export interface ServiceDescription {
  readonly name: string;
  readonly methods: readonly MethodDescription[];
  /** Worker resources that have something to flush. */
  readonly flushes: readonly string[];
}

/** What a lane's worker is started with. */
export interface LaneStart {
  readonly lane: number;
  /** How many copies a published value needs: one for each worker, and one for those that start later. */
  readonly copies: number;
  readonly shared: SharedArrayBuffer;
  readonly modules: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** The version of what was published last, and the last value of each service: for a replacement. */
  readonly version: number;
  readonly published: readonly {
    readonly version: number;
    readonly service: number;
    readonly value: unknown;
  }[];
}
