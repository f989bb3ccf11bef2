/**
 * What a service module's default export says: which generated service, which handler, which
 * resources. The module is loaded in every worker and on the state thread; this file holds only
 * types and a function that checks, so that loading it costs nothing anywhere.
 */
import { checkDefinition } from "./check-definition.ts";
import type { HandlerOf, MethodOptions } from "./handler-types.ts";
import type { Openable, ResourceDefinitions, ResourcesOf, WrittenResource } from "./resource-types.ts";

/** The module that `thrift --gen js:node,ts,es6` wrote for one service. */
export interface GeneratedService {
  /** The class of clients: its methods say what the handler must have. */
  readonly Client: abstract new (
    ...args: never[]
  ) => unknown;
  /** The class that decodes calls and encodes replies. */
  readonly Processor: abstract new (
    ...args: never[]
  ) => unknown;
}

/** A log function of the running server: one JSON line per call. */
export type LogFunction = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** What a handler factory is given. Made once in every worker. */
export interface ServiceContext<R extends ResourceDefinitions = ResourceDefinitions> {
  /** The service's name. */
  readonly name: string;
  /** Which worker this is, counted from 0. A replacement keeps the number of the one it replaces. */
  readonly worker: number;
  /** Settings of the program that serves, by name: what `serve(…, { settings })` was given. */
  readonly settings: Readonly<Record<string, string>>;
  /** Opened resources: worker resources as they are, process resources as asynchronous proxies. */
  readonly resources: ResourcesOf<R>;
  /** The value that was last published, or undefined. */
  readonly published: unknown;
  /**
   * Calls `listener` in this worker for each value published from now on, before any call that must see it. One that
   * throws is logged, and calls go on.
   */
  onPublish(listener: (value: unknown) => void): void;
  /**
   * Hands a value (anything structured clone can copy) to every worker of this service. Calls that
   * arrive after the promise resolved see it.
   *
   * The publishing worker makes a copy for each worker, and each takes its own out: what is large is better published as
   * bytes in a SharedArrayBuffer, which is not copied. The main thread takes no part, except that it gives the last value to
   * a worker that is replaced.
   *
   * @throws {DOMException} `DataCloneError`, when structured clone can't copy it
   */
  publish(value: unknown): Promise<void>;
  /** Writes a line of the server's log; it has the worker's number too. */
  readonly log: LogFunction;
}

/** What `defineService` takes. */
export interface ServiceDefinition<
  G extends GeneratedService = GeneratedService,
  R extends ResourceDefinitions = ResourceDefinitions,
  H extends HandlerOf<G["Client"]> = HandlerOf<G["Client"]>,
> {
  /** The service's name for multiplexed clients. */
  readonly name: string;
  /** The generated module (its `Processor` and `Client`). */
  readonly service: G;
  /**
   * Makes the handler: once in every worker, before it is ready. When it throws, the server does not start; where a
   * worker has to be replaced, it is made again later.
   */
  readonly handler: (ctx: ServiceContext<R>) => H | Promise<H>;
  /** Closes a handler when its worker ends in an orderly way. Default: nothing. */
  readonly close?: (handler: H) => void | Promise<void>;
  /** Called in every worker on SIGHUP (see the option `hup`), with calls in flight undisturbed. Default: nothing. */
  readonly reload?: (handler: H) => void | Promise<void>;
  /** Options by method name. Default: those of MethodOptions for each. */
  readonly methods?: { readonly [M in keyof HandlerOf<G["Client"]>]?: MethodOptions };
  /** Worker-wide and process-wide things with a life of their own. Default: none. */
  readonly resources?: R;
}

/** Marks a value as made by `defineService`, also by another copy of this module. */
const definitionMark: unique symbol = Symbol.for("thrift-sluice.service");

/** A checked service definition. */
export type DefinedService = ServiceDefinition & { readonly [definitionMark]?: true };

/**
 * Declares a service: the default export of a service module.
 *
 * Resources are written before the handler, so that it knows their types; a resource's type is what `open` returns:
 *
 * ```ts
 * resources: {
 *   store: { scope: "process", open: () => new Store(), flush: (store) => store.flush() },
 * },
 * handler: ({ resources: { store } }) => ({ … }),
 * ```
 *
 * Where `open` takes its context without saying its type, and in older versions of TypeScript, `flush` and `close` are
 * given an `any`, if they don't say what they take: write `open(ctx: ResourceContext)`, or `flush(store: Store)`.
 *
 * @param definition what is served; it is copied and frozen
 * @throws {ServiceDefinitionError} when a field is missing, unknown or of the wrong kind, or the service lacks a method that
 * has options
 */
export function defineService<
  G extends GeneratedService,
  R extends Record<string, Openable> = Record<never, never>,
  H extends HandlerOf<G["Client"]> = HandlerOf<G["Client"]>,
  I extends Record<string, unknown> = Record<never, never>,
>(
  definition: ServiceDefinition<G, R, H> & {
    readonly resources?: { readonly [K in keyof I]: WrittenResource<I[K]> };
  },
): ServiceDefinition<G, R, H> {
  checkDefinition(definition as unknown as ServiceDefinition);
  return Object.freeze({ ...definition, [definitionMark]: true });
}

/** Whether a value came out of `defineService`. */
export function isDefinedService(value: unknown): value is ServiceDefinition {
  return typeof value === "object" && value !== null && definitionMark in value;
}
