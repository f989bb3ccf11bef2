/** What the types of a client say that the Thrift compiler generated: its methods, their arguments and results. */
import type Int64 from "node-int64";

/** An i64 as handlers and callers may give it: the generated Int64, an exact integer or a bigint. */
export type I64 = Int64 | number | bigint;

/** What may be given where the IDL says `T`: i64s in any of three forms, structs as plain objects. */
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
export type ArgumentsOf<F> = F extends (...args: infer A) => unknown
  ? Required<A> extends [...infer P, AnyFunction]
    ? P
    : A
  : never;

/** What a generated method answers. */
export type ResultOf<F> = F extends (...args: infer A) => unknown
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
