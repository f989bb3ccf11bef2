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

/** A process resource as handlers see it: each method asynchronous, settled when the state thread has acknowledged. */
export type RemoteOf<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A service's resources as `ctx.resources` gives them. */
export type ResourcesOf<R> = {
  readonly [K in keyof R]: R[K] extends ProcessResource<infer T>
    ? RemoteOf<T>
    : R[K] extends WorkerResource<infer T>
      ? T
      : never;
};
