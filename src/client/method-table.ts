/** What a generated client knows of its service's methods. */
import { ClientOptionError } from "./errors.ts";

/** The generated function that encodes a call; `this` is what the generated client would be. */
export type SendFunction = (this: unknown, ...values: readonly unknown[]) => void;
/** The generated function that decodes a reply. */
export type ReceiveFunction = (this: unknown, input: unknown, type: number, seqid: number) => void;

export interface ClientMethod {
  readonly name: string;
  /** What stands in the message: `Service:method` towards a multiplexed server. */
  readonly wireName: string;
  readonly send: SendFunction;
  /** Undefined: the method is oneway. */
  readonly receive: ReceiveFunction | undefined;
  /** How many arguments the IDL declares. */
  readonly arity: number;
  /** Whether it may be called again when its outcome is unknown. */
  readonly idempotent: boolean;
  /** How long a call may take, in ms. */
  readonly timeoutMs: number;
}

/** Options of one method, as `createClient` takes them. */
export interface ClientMethodOptions {
  /** Whether a call may be made again when its outcome is unknown. Default: false. */
  readonly idempotent?: boolean;
  /** How long a call may take in all, in ms. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number;
}

export interface MethodTableOptions {
  readonly service: string | undefined;
  readonly timeoutMs: number;
  readonly methods: Readonly<Record<string, ClientMethodOptions | undefined>>;
}

const sendPrefix = "send_";

/**
 * All methods of a generated client, inherited ones too.
 *
 * @throws {ClientOptionError} when it is no generated client, or options are given for a method that it lacks
 */
export function describeMethods(client: unknown, options: MethodTableOptions): Map<string, ClientMethod> {
  const table = new Map<string, ClientMethod>();
  const prototype = typeof client === "function" ? (client.prototype as object) : null;
  for (const name of sentNames(prototype)) table.set(name, describe(prototype!, name, options));
  if (table.size === 0) {
    throw new ClientOptionError(
      "createClient: give it the generated module of a service, or its Client class; generate it with: thrift --gen js:node,ts,es6",
    );
  }
  for (const name of Object.keys(options.methods)) {
    if (!table.has(name)) {
      throw new ClientOptionError(
        `createClient: "methods" names ${name}; the service has ${[...table.keys()].join(", ")}`,
      );
    }
  }
  return table;
}

function describe(prototype: object, name: string, options: MethodTableOptions): ClientMethod {
  const send = Reflect.get(prototype, sendPrefix + name) as SendFunction;
  const receive: unknown = Reflect.get(prototype, `recv_${name}`);
  const { idempotent = false, timeoutMs = options.timeoutMs } = options.methods[name] ?? {};
  return {
    name,
    wireName: options.service === undefined ? name : `${options.service}:${name}`,
    send,
    receive: typeof receive === "function" ? (receive as ReceiveFunction) : undefined,
    arity: send.length,
    idempotent,
    timeoutMs,
  };
}

function* sentNames(prototype: object | null): Generator<string> {
  for (let at = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name.startsWith(sendPrefix)) yield name.slice(sendPrefix.length);
    }
  }
}
