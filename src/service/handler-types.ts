/** The types that tie a handler to the client that the Thrift compiler generated. */
import type Int64 from "node-int64";

/** Options of one method. */
export interface MethodOptions {
  /** How long a call may take from its arrival, in ms. Default: no limit. After it the caller gets an exception. */
  readonly timeoutMs?: number;
  /** Whether a client may send the call again when its outcome is unknown. Default: false. */
  readonly idempotent?: boolean;
}

/** An i64 as a handler may give it: the generated Int64, an exact integer or a bigint. */
export type I64 = Int64 | number | bigint;

/** What a handler may return where the IDL says `T`: i64s in any of three forms, structs as plain objects. */
export type Encodable<T> = T extends Int64
  ? I64
  : T extends Buffer
    ? Buffer | Uint8Array
    : T extends (infer E)[]
      ? Encodable<E>[]
      : T extends object
        ? { [K in keyof T]: Encodable<T[K]> }
        : T;

type AnyFunction = (...args: never[]) => unknown;

/** A generated method is overloaded; the last overload takes a callback: its arguments and result are these. */
type ArgumentsOf<F> = F extends (...args: infer A) => unknown
  ? Required<A> extends [...infer P, AnyFunction]
    ? P
    : A
  : never;

type ResultOf<F> = F extends (...args: infer A) => unknown
  ? Required<A> extends [...unknown[], (error: never, response: infer R) => unknown]
    ? R
    : void
  : never;

/** The method names of a generated client. */
export type MethodsOf<C> = C extends abstract new (
  ...args: never[]
) => infer I
  ? { [K in keyof I]: I[K] extends AnyFunction ? K : never }[keyof I]
  : never;

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
