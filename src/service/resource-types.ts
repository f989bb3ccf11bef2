/** The types of resources: things with open, flush and close, one per worker or one per process. */

/** What `open` is given. */
export interface ResourceContext {
  /** Settings of the program that serves, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Writes a line of the server's log. Of a process resource it also has the names of service and resource. */
  readonly log: (
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields?: Record<string, unknown>,
  ) => void;
}

/** The life of a resource whose instance is a `T`. */
interface ResourceLife<T> {
  /** Makes the instance. When it throws, the server does not start. */
  open(ctx: ResourceContext): T | Promise<T>;
  /** Makes durable what the instance holds. Called in every stop, after the last call and before any close. */
  flush?(instance: T): void | Promise<void>;
  /** Gives back what the instance holds. */
  close?(instance: T): void | Promise<void>;
}

/** One instance in each worker, used directly by its handlers. */
export interface WorkerResource<T = unknown> extends ResourceLife<T> {
  /** Where it lives. */
  readonly scope: "worker";
}

/** One instance in the process, on the state thread; handlers call its methods through a proxy. */
export interface ProcessResource<T = unknown> extends ResourceLife<T> {
  /** Where it lives. Arguments and results of its methods are copied between threads (structured clone). */
  readonly scope: "process";
}

/** A service's resources by name. They open in this order and close in reverse, process resources around worker ones. */
// biome-ignore lint/suspicious/noExplicitAny: a record of resources of any instance type
export type ResourceDefinitions = Record<string, WorkerResource<any> | ProcessResource<any>>;

/** What inference begins with: the instance is what `open` returns. */
export interface Openable {
  /** Where it lives. */
  readonly scope: "worker" | "process";
  /** Makes the instance. */
  open(ctx: ResourceContext): unknown;
}

/**
 * A resource as it is written in `defineService`, of an instance `T` where that can be inferred before the parameters'
 * types have to be known: `open` has no parameters, or says their types.
 */
export interface WrittenResource<T> {
  /** Where it lives. */
  readonly scope: "worker" | "process";
  /** Makes the instance. */
  open(ctx: ResourceContext): T | Promise<T>;
  /** Makes durable what the instance holds. */
  // biome-ignore lint/suspicious/noExplicitAny: a parameter of any type may be declared where none could be inferred
  flush?(instance: unknown extends T ? any : T): void | Promise<void>;
  /** Gives back what the instance holds. */
  // biome-ignore lint/suspicious/noExplicitAny: a parameter of any type may be declared where none could be inferred
  close?(instance: unknown extends T ? any : T): void | Promise<void>;
}

/**
 * A process resource as handlers see it: each method asynchronous, settled when the state thread has acknowledged. It may
 * be given what another one gave: the method gets copies of its arguments anyway.
 */
export type RemoteOf<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: { [I in keyof A]: A[I] | CopyOf<A[I]> }) => Promise<CopyOf<Awaited<R>>>
    : never;
};

/**
 * What arrives of a `T` on another thread (structured clone): a `Buffer` as a `Uint8Array`, an instance of a class as an
 * object with its data and without its methods, be it a generated struct, or an Int64. The elements of arrays, maps and sets
 * likewise; what the language itself defines stays as it is.
 */
export type CopyOf<T> = unknown extends T
  ? T
  : T extends Buffer
    ? Uint8Array
    : T extends string | number | bigint | boolean | null | undefined | void
      ? T
      : T extends Date | RegExp | ArrayBuffer | SharedArrayBuffer | ArrayBufferView
        ? T
        : T extends ReadonlyMap<infer K, infer V>
          ? Map<CopyOf<K>, CopyOf<V>>
          : T extends ReadonlySet<infer E>
            ? Set<CopyOf<E>>
            : T extends readonly unknown[]
              ? { [K in keyof T]: CopyOf<T[K]> }
              : Error extends T
                ? T
                : { [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]: CopyOf<T[K]> };

/** A service's resources as `ctx.resources` gives them. */
export type ResourcesOf<R> = {
  readonly [K in keyof R]: R[K] extends { readonly open: (...args: never[]) => infer T }
    ? R[K] extends { readonly scope: "process" }
      ? RemoteOf<Awaited<T>>
      : R[K] extends { readonly scope: "worker" }
        ? Awaited<T>
        : never
    : never;
};
