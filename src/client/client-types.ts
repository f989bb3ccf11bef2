/** The types of a client, from those of the generated one. */
import type { ArgumentsOf, Encodable, MethodsOf, ResultOf } from "../wire/generated-types.ts";

/** What one call may be given behind its arguments. */
export interface CallOptions {
  /** How long the call may take in all, in ms. Default: its method's, or the client's. */
  readonly timeoutMs?: number;
  /** Gives the call up: its promise is rejected with the signal's reason. The server may run it all the same. Default: none. */
  readonly signal?: AbortSignal;
  /** Info headers, over THeader and HTTP; other transports have none. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

type Arguments<F> =
  ArgumentsOf<F> extends infer A extends unknown[] ? { [K in keyof A]: Encodable<A[K]> } : never;

/** The module that `thrift --gen js:node,ts,es6` wrote for one service, or its `Client` class. */
export type GeneratedClient =
  | { readonly Client: abstract new (...args: never[]) => unknown }
  | (abstract new (
      ...args: never[]
    ) => unknown);

type ClassOf<G> = G extends { readonly Client: infer C } ? C : G;

/** The generated client's methods, each with its arguments and, behind them, the call's options. */
export type MethodsOfClient<G> =
  ClassOf<G> extends abstract new (
    ...args: never[]
  ) => infer I
    ? {
        [K in MethodsOf<ClassOf<G>> & keyof I]: (
          ...args: [...Arguments<I[K]>, options?: CallOptions]
        ) => Promise<ResultOf<I[K]>>;
      }
    : never;

/** What a client has beside its service's methods. A method of the same name is reached through `call`. */
export interface ClientControls<G> extends AsyncDisposable {
  /**
   * Calls a method by its name.
   *
   * @param args all that the IDL declares, in its order
   * @throws {ClientError} as the promise of the method itself rejects
   */
  call<K extends keyof MethodsOfClient<G>>(
    method: K,
    args: MethodsOfClient<G>[K] extends (...args: [...infer A, options?: CallOptions]) => unknown ? A : never,
    options?: CallOptions,
  ): MethodsOfClient<G>[K] extends (...args: never[]) => infer R ? R : never;
  /**
   * Takes no further calls, waits for those in flight, and closes all connections. Resolves when nothing of the client
   * is left; the same promise each time.
   *
   * @param options `timeoutMs`: calls that take longer than this fail with ClosedError. Default 10,000
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** What the client has counted. */
  stats(): ClientStats;
}

/** What a client has counted since it was made. */
export interface ClientStats {
  /** Calls that are not settled. */
  readonly inFlight: number;
  /** Calls by how they ended: ok, declared, application, not-started, unknown, deadline, aborted, closed. */
  readonly calls: Readonly<Record<string, number>>;
  /** Attempts that were made again, by why. */
  readonly repeats: Readonly<Record<"not-started" | "unknown", number>>;
  /** How often an endpoint got no calls for a while, by why. */
  readonly away: Readonly<Record<string, number>>;
  /** Each endpoint that there is now. */
  readonly endpoints: readonly EndpointStats[];
}

/** One server, as the client sees it now. */
export interface EndpointStats {
  /** Its address: `10.0.0.7:9090`, `unix:/run/thrift.sock`. */
  readonly endpoint: string;
  /** Whether it gets calls. */
  readonly well: boolean;
  /** Calls that were given to it and are not settled. */
  readonly inFlight: number;
  /** Connections that are open or being made. */
  readonly connections: number;
}

/** A client of one service. */
export type Client<G> = Omit<MethodsOfClient<G>, keyof ClientControls<G>> & ClientControls<G>;
