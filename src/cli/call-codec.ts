/** Encodes a call with the service's generated client, and decodes its answer to JSON, in any of the protocols. */
import Int64 from "node-int64";
import { BinaryReader } from "../wire/binary-reader.ts";
import { BinaryWriter } from "../wire/binary-writer.ts";
import { CompactReader } from "../wire/compact-reader.ts";
import { CompactWriter } from "../wire/compact-writer.ts";
import { toBigInt } from "../wire/int64.ts";
import { JsonReader } from "../wire/json-reader.ts";
import { JsonWriter } from "../wire/json-writer.ts";
import type { ProtocolReader, ProtocolWriter } from "../wire/protocol.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import type { ProtocolName } from "../wire/protocol-names.ts";
import { type Json, MissingFieldError, type WrappedArguments, wrapArguments } from "./call-arguments.ts";
import { takingJson } from "./json-values.ts";

/** One call's generated client. */
export interface CallCodec {
  readonly protocol: ProtocolName;
  /** The message to send, without what a transport puts around it. */
  readonly request: Buffer;
  /** Whether no answer will come. */
  readonly oneway: boolean;
  /** Reads a message; `incomplete` when more of it has to come. */
  read(message: Buffer): Answer | "incomplete";
}

/** What a server may answer. */
export type Answer =
  | { readonly kind: "result"; readonly value: unknown }
  /** An exception that the IDL declares. */
  | { readonly kind: "declared"; readonly name: string; readonly value: unknown }
  /** TApplicationException: the call could not be made. */
  | { readonly kind: "application"; readonly type: number; readonly message: string }
  /** Bytes that are no answer to this call. */
  | { readonly kind: "unreadable"; readonly cause: unknown };

/** What the generated client class has beside its methods. */
interface GeneratedClient {
  _seqid: number;
  _reqs: Record<number, (error: unknown, result: unknown) => void>;
  [member: string]: unknown;
}

type ClientClass = new (output: unknown, protocol: unknown) => GeneratedClient;

const seqid = 1;
/** Whoever asks for it may read large answers. */
const limits = { recursionLimit: 1000, maxContainerElements: 100_000_000 };

const writers: Readonly<Record<ProtocolName, () => ProtocolWriter>> = {
  binary: () => new BinaryWriter(),
  compact: () => new CompactWriter(),
  json: () => new JsonWriter(),
};

const readers: Readonly<Record<ProtocolName, () => ProtocolReader>> = {
  binary: () => new BinaryReader(limits),
  compact: () => new CompactReader(limits),
  json: () => new JsonReader(limits),
};

/**
 * Encodes a call.
 *
 * @param client the generated `Client` class
 * @param messageName the name on the wire: the method's, or `Service:method`
 * @throws {ArgumentError} when the arguments don't fit the IDL
 */
export function encodeCall(
  client: unknown,
  method: string,
  messageName: string,
  given: readonly Json[],
  protocol: ProtocolName = "binary",
): CallCodec {
  const writer = takingJson(writers[protocol]());
  const { writeMessageBegin } = writer;
  writer.writeMessageBegin = (_: string, type: number, id: number): void =>
    writeMessageBegin.call(writer, messageName, type, id);
  // Generated code makes a protocol for each call: it gets this one.
  function TheProtocol(): ProtocolWriter {
    return writer;
  }
  const generated = new (client as ClientClass)({ flush() {} }, TheProtocol);
  const send = generated[`send_${method}`] as (...values: readonly unknown[]) => void;
  const wrapped = wrapArguments(given, parameterNames(send));
  generated._seqid = seqid;
  try {
    send.apply(generated, [...wrapped.values]);
  } catch (error) {
    throw missingField(error, wrapped) ?? error;
  }
  wrapped.checkAllUsed();
  return {
    protocol,
    request: Buffer.from(writer.buffer.subarray(0, writer.position)),
    oneway: typeof generated[`recv_${method}`] !== "function",
    read: (message) => readAnswer(generated, method, readers[protocol](), message),
  };
}

/** Generated code asks for a required field, and throws when it is not there. */
function missingField(error: unknown, wrapped: WrappedArguments): MissingFieldError | undefined {
  if (!isNamed(error, "TProtocolException")) return undefined;
  const [, name] = /^Required field (.+) is unset!$/.exec(error.message) ?? [];
  if (name === undefined) return undefined;
  return new MissingFieldError(wrapped.placeOfField(name));
}

function readAnswer(
  generated: GeneratedClient,
  method: string,
  reader: ProtocolReader,
  message: Buffer,
): Answer | "incomplete" {
  let answer: Answer = { kind: "unreadable", cause: "it was no answer to this call" };
  generated._reqs[seqid] = (error, result) => {
    answer = error ? answerOfError(error) : { kind: "result", value: toJson(result) };
  };
  const { readI64 } = reader;
  // Exact, also as the key of a map.
  Object.assign(reader, { readI64: () => toBigInt(readI64.call(reader)) });
  try {
    reader.reset(message, 0, message.length);
    const { fname, mtype } = reader.readMessageBegin();
    if (fname.split(":").at(-1) !== method) {
      return { kind: "unreadable", cause: `it answers ${JSON.stringify(fname)}` };
    }
    const receive = generated[`recv_${method}`] as (input: unknown, type: number, seqid: number) => void;
    receive.call(generated, reader, mtype, seqid);
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.kind === "truncated") return "incomplete";
    return { kind: "unreadable", cause };
  }
  return answer;
}

function answerOfError(error: unknown): Answer {
  if (isNamed(error, "TApplicationException")) {
    const { type = 0, message } = error;
    return { kind: "application", type, message };
  }
  if (typeof error === "object" && error !== null) {
    const name = (error as { readonly name?: string }).name ?? error.constructor.name;
    // `name` and `stack` belong to the JavaScript error, not to the IDL's exception.
    return { kind: "declared", name, value: toJson({ ...error, name: undefined, stack: undefined }) };
  }
  return { kind: "unreadable", cause: error };
}

/** Not by its class: generated code may have a copy of the package of its own. */
function isNamed(error: unknown, name: string): error is Error & { readonly type?: number } {
  return error instanceof Error && error.name === name;
}

/** The parameter names of generated code, which declares them as the IDL does. */
export function parameterNames(send: (...values: never[]) => unknown): string[] {
  const [, list = ""] = /^[^(]*\(([^)]*)\)/.exec(Function.prototype.toString.call(send)) ?? [];
  return list.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}

/**
 * A decoded value as JSON has it: i64 as number or, beyond 2^53, as text; binary as base64; unset fields left out;
 * doubles that JSON lacks as text. Undefined becomes null at the top.
 */
export function toJson(value: unknown): unknown {
  if (value instanceof Int64) return toJson(toBigInt(value));
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? value : String(value);
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString("base64");
  }
  if (Array.isArray(value)) {
    return value.map(toJson);
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
    return Object.fromEntries(entries.map(([key, field]) => [key, toJson(field)]));
  }
  return value ?? null;
}
