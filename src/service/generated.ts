/** What can be learnt of a service from the code that the Thrift compiler generated for it. */
import type { GeneratedService } from "./define.ts";

/** A method as the generated code tells it. */
export interface GeneratedMethod {
  readonly name: string;
  /** The client has no `recv_…` for it. */
  readonly oneway: boolean;
  /** A reply without a result is right. Undefined when the generated code does not tell. */
  readonly returnsNothing: boolean | undefined;
  /** How many arguments the IDL gives it. Undefined when the generated code does not tell. */
  readonly parameters: number | undefined;
}

const processPrefix = "process_";

/** All methods of a service, inherited ones too, sorted by name. */
export function methodsOf(service: GeneratedService): GeneratedMethod[] {
  const client = service.Client.prototype as Record<string, unknown>;
  return methodNamesOf(service).map((name) => {
    const oneway = typeof client[`recv_${name}`] !== "function";
    const send = client[`send_${name}`];
    return {
      name,
      oneway,
      returnsNothing: oneway ? true : returnsNothing(service, name),
      parameters: typeof send === "function" ? send.length : undefined,
    };
  });
}

/** The names of all methods of a service, inherited ones too, sorted. */
export function methodNamesOf(service: GeneratedService): string[] {
  const names = new Set<string>();
  for (const name of chainedNames(service.Processor.prototype as object)) {
    if (name.startsWith(processPrefix)) names.add(name.slice(processPrefix.length));
  }
  return [...names].sort();
}

function* chainedNames(prototype: object): Generator<string> {
  for (
    let at: object | null = prototype;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    yield* Object.getOwnPropertyNames(at);
  }
}

/**
 * Whether a method is `void`: the generated client is shown a reply without any field. For a `void`
 * method it finds nothing missing.
 */
function returnsNothing(service: GeneratedService, name: string): boolean | undefined {
  type Receiver = Record<string, unknown> & { _reqs: Record<number, (error: unknown) => void> };
  const Client = service.Client as unknown as new (output: unknown, protocol: unknown) => Receiver;
  try {
    const client = new Client({}, Object);
    let error: unknown = unanswered;
    client._reqs[1] = (given) => {
      error = given;
    };
    (client[`recv_${name}`] as (input: unknown, type: number, seqid: number) => void)(emptyStruct, 2, 1);
    return error === unanswered ? undefined : error === null || error === undefined;
  } catch {
    return undefined;
  }
}

const unanswered: unique symbol = Symbol("unanswered");

/** Reads as a struct without fields. */
const emptyStruct = {
  readStructBegin: () => ({ fname: "" }),
  readFieldBegin: () => ({ fname: null, ftype: 0, fid: 0 }),
  readFieldEnd() {},
  readStructEnd() {},
  readMessageEnd() {},
  skip() {},
  incrementRecursionDepth() {},
  decrementRecursionDepth() {},
};
