/** The types that tie a handler to the client that the Thrift compiler generated. */
import type { ArgumentsOf, Encodable, I64, MethodsOf, ResultOf } from "../wire/generated-types.ts";

export type { Encodable, I64, MethodsOf };

/** Options of one method. */
export interface MethodOptions {
  /** How long a call may take from its arrival, in ms; 0 for no limit. Default: 0. After it the caller gets an exception. */
  readonly timeoutMs?: number;
  /** Whether a client may send the call again when its outcome is unknown. Default: false. */
  readonly idempotent?: boolean;
}

/** The handler that a generated client's service asks for: each method, plain or asynchronous. */
export type HandlerOf<C> = C extends abstract new (
  ...args: never[]
) => infer I
  ? {
      [K in MethodsOf<C> & keyof I]: (
        ...args: ArgumentsOf<I[K]>
      ) => Encodable<ResultOf<I[K]>> | Promise<Encodable<ResultOf<I[K]>>>;
    }
  : never;
