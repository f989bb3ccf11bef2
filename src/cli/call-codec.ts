/**
 * Encodes a call with the service's generated client, and decodes its answer to JSON.
 *
 * Uses the thrift package's binary protocol over frames, which every server of ours speaks. Our own client will take
 * this file's place.
 */
import Int64 from "node-int64";
import thrift from "thrift";
import { describe, type Json, leafOf, placeOf, wrapArguments } from "./call-arguments.ts";
import { UsageError } from "./command.ts";

/** One call's generated client. */
export interface CallCodec {
  /** The frame to send. */
  readonly request: Buffer;
  /** Whether no answer will come. */
  readonly oneway: boolean;
  /** Reads what the server sent so far; calls `onAnswer` once, when the answer is whole. */
  createReceiver(onAnswer: (answer: Answer) => void): (bytes: Buffer) => void;
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

/**
 * Encodes a call.
 *
 * @param client the generated `Client` class
 * @param messageName the name on the wire: the method's, or `Service:method`
 * @throws {UsageError} when the arguments don't fit the IDL
 */
export function encodeCall(
  client: unknown,
  method: string,
  messageName: string,
  given: readonly Json[],
): CallCodec {
  const frames: Buffer[] = [];
  const output = new thrift.TFramedTransport(undefined, (frame) => {
    if (frame !== undefined) {
      frames.push(frame);
    }
  });
  class NamedProtocol extends JsonArgumentProtocol {
    override writeMessageBegin(_: string, type: number, id: number): void {
      super.writeMessageBegin(messageName, type, id);
    }
  }
  const generated = new (client as ClientClass)(output, NamedProtocol);
  const send = generated[`send_${method}`] as (...values: readonly unknown[]) => void;
  const wrapped = wrapArguments(given, parameterNames(send));
  generated._seqid = seqid;
  send.apply(generated, [...wrapped.values]);
  wrapped.checkAllUsed();
  return {
    request: Buffer.concat(frames),
    oneway: typeof generated[`recv_${method}`] !== "function",
    createReceiver: (onAnswer) =>
      thrift.TFramedTransport.receiver(
        (transport) => onAnswer(readAnswer(generated, method, transport)),
        seqid,
      ),
  };
}

function readAnswer(generated: GeneratedClient, method: string, transport: unknown): Answer {
  let answer: Answer = { kind: "unreadable", cause: "it was no answer to this call" };
  generated._reqs[seqid] = (error, result) => {
    answer = error ? answerOfError(error) : { kind: "result", value: toJson(result) };
  };
  try {
    const input = new ExactProtocol(transport as thrift.TTransport);
    const { fname, mtype } = input.readMessageBegin();
    if (String(fname).split(":").at(-1) !== method) {
      return { kind: "unreadable", cause: `it answers ${JSON.stringify(String(fname))}` };
    }
    const receive = generated[`recv_${method}`] as (input: unknown, type: number, seqid: number) => void;
    receive.call(generated, input, mtype, seqid);
  } catch (cause) {
    return { kind: "unreadable", cause };
  }
  return answer;
}

function answerOfError(error: unknown): Answer {
  if (error instanceof thrift.Thrift.TApplicationException) {
    // @types/thrift does not know `type`.
    const { type, message } = error as thrift.Thrift.TApplicationException & { readonly type: number };
    return { kind: "application", type, message };
  }
  if (typeof error === "object" && error !== null) {
    const name = (error as { readonly name?: string }).name ?? error.constructor.name;
    // `name` and `stack` belong to the JavaScript error, not to the IDL's exception.
    return { kind: "declared", name, value: toJson({ ...error, name: undefined, stack: undefined }) };
  }
  return { kind: "unreadable", cause: error };
}

/** The parameter names of generated code, which declares them as the IDL does. */
export function parameterNames(send: (...values: never[]) => unknown): string[] {
  const [, list = ""] = /^[^(]*\(([^)]*)\)/.exec(Function.prototype.toString.call(send)) ?? [];
  return list.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}

/** Reads i64 as bigint: exact, also as the key of a map. */
class ExactProtocol extends thrift.TBinaryProtocol {
  // biome-ignore lint/suspicious/noExplicitAny: the generated code only passes it on
  override readI64(): any {
    const { buffer, offset } = super.readI64() as Int64 & { readonly offset: number };
    return buffer.readBigInt64BE(offset);
  }
}

/** Writes wrapped JSON values as the type that the generated code asks for. */
class JsonArgumentProtocol extends thrift.TBinaryProtocol {
  override writeString(value: unknown): void {
    super.writeString(plain(value, "a text", (text) => (typeof text === "string" ? text : undefined)));
  }

  override writeBinary(value: unknown): void {
    super.writeBinary(plain(value, "binary as base64 text", fromBase64));
  }

  override writeBool(value: unknown): void {
    super.writeBool(
      plain(value, "true or false", (bool) =>
        typeof bool === "boolean" ? bool : bool === "true" ? true : bool === "false" ? false : undefined,
      ),
    );
  }

  override writeByte(value: unknown): void {
    super.writeByte(plain(value, "a byte, -128 to 127", integerWithin(-128, 127)));
  }

  override writeI16(value: unknown): void {
    super.writeI16(plain(value, "a whole number of 16 bits", integerWithin(-(2 ** 15), 2 ** 15 - 1)));
  }

  override writeI32(value: unknown): void {
    super.writeI32(plain(value, "a whole number of 32 bits", integerWithin(-(2 ** 31), 2 ** 31 - 1)));
  }

  override writeI64(value: unknown): void {
    super.writeI64(plain(value, "a whole number of 64 bits", toInt64));
  }

  override writeDouble(value: unknown): void {
    super.writeDouble(plain(value, 'a number, "NaN", "Infinity" or "-Infinity"', toDouble));
  }
}

/** A value or map key, converted; an error names where it stands. */
function plain<T>(given: unknown, expected: string, convert: (value: unknown) => T | undefined): T {
  const leaf = leafOf(given);
  const value = leaf === undefined ? given : leaf.value;
  const converted = convert(value);
  if (converted === undefined) {
    const place = placeOf(given);
    const where = place === undefined ? "" : `${place}: `;
    const what = isScalar(value) ? describe(value) : Array.isArray(value) ? "a list" : "an object";
    throw new UsageError(`${where}${what} was given; ${expected} is expected`);
  }
  if (leaf !== undefined) {
    leaf.used = true;
  }
  return converted;
}

function isScalar(value: unknown): value is string | number | bigint | boolean {
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

function integerWithin(min: number, max: number): (value: unknown) => number | undefined {
  return (value) => {
    // Keys of a JSON object are texts, whatever the map's key type.
    const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) && number >= min && number <= max
      ? number
      : undefined;
  };
}

function toInt64(value: unknown): Int64 | undefined {
  if (value instanceof Int64) {
    return value;
  }
  const isWhole =
    typeof value === "bigint" ||
    (typeof value === "number" && Number.isSafeInteger(value)) ||
    (typeof value === "string" && /^-?\d{1,19}$/.test(value));
  if (!isWhole) {
    return undefined;
  }
  const exact = BigInt(value);
  if (BigInt.asIntN(64, exact) !== exact) {
    return undefined;
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(exact);
  return new Int64(bytes);
}

function toDouble(value: unknown): number | undefined {
  if (typeof value === "number") {
    return value;
  }
  if (typeof value === "bigint") {
    return Number(value);
  }
  if (typeof value !== "string" || value.trim() === "") {
    return undefined;
  }
  const number = Number(value);
  return Number.isNaN(number) && value !== "NaN" ? undefined : number;
}

function fromBase64(value: unknown): Buffer | undefined {
  return typeof value === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value)
    ? Buffer.from(value, "base64")
    : undefined;
}

/**
 * A decoded value as JSON has it: i64 as number or, beyond 2^53, as text; binary as base64; unset fields left out;
 * doubles that JSON lacks as text. Undefined becomes null at the top.
 */
function toJson(value: unknown): unknown {
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
